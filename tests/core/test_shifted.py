"""What is done to the vectors of tokens, by hand; and that nothing is done outside of a call."""

import pytest
import torch
from torch import nn

from temperance.core.nest import call, first_leaf, floating_leaves, map_leaves, rows, with_floating
from temperance.core.random import pulse
from temperance.core.shifted import Blend, Shifted, moved
from temperance.records.errors import RecipeError

VECTORS = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]])  # two rows of two tokens
IDS = torch.zeros(2, 2, dtype=torch.int64)
COUNTS = torch.tensor([[True, False], [True, True]])


def test_kept_then_blended_then_shifted():
    blend = Blend(torch.tensor([1, 0]), torch.tensor(0.75), COUNTS)
    one = Shifted(IDS, torch.full((2, 2, 2), 100.0), COUNTS, kept=torch.tensor([[1, 1], [1, 0]]), blend=blend)
    expected = [
        [[0.75 + 1.25 + 100, 1.5 + 1.5 + 100], [0.0, 0.0]],  # (0, 1): padding here, hidden there
        [[3.75 + 0.25 + 100, 4.5 + 0.5 + 100], [100.0, 100.0]],
    ]
    assert one.of(VECTORS).tolist() == expected
    assert one.of(VECTORS.flatten(0, 1)).tolist() == [pair for row in expected for pair in row]  # (b·t, d) too


def test_the_inputs_inside_are_what_nests_see():
    one = Shifted({"ids": IDS}, VECTORS, None)
    assert rows(one) == 2
    assert first_leaf(one) is IDS
    assert floating_leaves(one) == [VECTORS]
    assert with_floating(one, [VECTORS + 1]).shift.sum() == VECTORS.sum() + 8
    assert map_leaves(lambda x: x + 1, one).inputs["ids"].sum() == 4
    numbers = torch.ones(2, 3)
    beside = one._replace(inputs={"ids": IDS, "x": numbers})
    assert floating_leaves(beside)[0] is numbers  # what is a number itself is moved, not the vectors
    assert with_floating(beside, [numbers + 1]).shift is VECTORS


class Lookup(nn.Module):
    """Looks up some numbers of times. Shapes: ids (b, t) → (b, t, 2)."""

    def __init__(self, times):
        super().__init__()
        self.times, self.words = times, nn.Embedding(3, 2)
        self.words.register_forward_hook(lambda _, given, out: moved(out))

    def forward(self, ids):
        return torch.stack([self.words(ids) for _ in range(self.times)]).sum(0)


def test_only_the_call_that_is_meant_is_moved():
    model = Lookup(3)
    with pulse(7):
        plain = call(model, IDS)
        for _ in range(2):
            there = call(model, Shifted(IDS, VECTORS, None, call=1))
        again = call(model, IDS)
    torch.testing.assert_close(there, plain + VECTORS)
    assert torch.equal(again, plain)


def test_an_embedding_that_does_not_run_is_told():
    with pulse(7), pytest.raises(RecipeError, match="did not run in this pass"):
        call(Lookup(1), Shifted(IDS, VECTORS, None, call=1))
    with pytest.raises(RuntimeError, match="outside a step"):
        call(Lookup(1), Shifted(IDS, VECTORS, None))
    assert moved(VECTORS) is None
