"""Memory by example: unseen ones are zero, the table grows, both executors agree."""

import pytest
import torch

from temperance.core.batch import Batch, Mixed, Pass
from temperance.core.kit.rows import places, recall, remember
from temperance.core.regularizer import Memory
from temperance.records.errors import RecipeError

LIKE = torch.zeros(2, 3)


@pytest.mark.parametrize("in_place", [True, False])
def test_what_was_noted_comes_back_at_the_next_step(in_place):
    memory = Memory({}, address="x")
    index = torch.tensor([4, 1])
    assert torch.equal(recall(memory, index, LIKE, in_place=in_place), LIKE)
    rows = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    passed = remember(Pass(LIKE.sum(), None, {}, {}, {}), memory, index, rows, in_place=in_place)
    assert torch.equal(recall(memory, index, LIKE, in_place=in_place), LIKE), "not before the step is over"
    memory.update(passed.memory["x"])
    assert torch.equal(recall(memory, torch.tensor([1, 4]), LIKE, in_place=in_place), rows.flip(0))
    assert float(recall(memory, torch.tensor([9, 0]), LIKE, in_place=in_place).sum()) == 0.0
    assert torch.equal(recall(memory, index, LIKE, in_place=in_place), rows), "it grew and kept its rows"


def test_a_batch_without_index_or_of_blends_is_refused():
    with pytest.raises(RecipeError, match="ELR got a batch without index"):
        places(Batch(LIKE, torch.zeros(2)), "ELR")
    mixed = Mixed(torch.zeros(2), torch.zeros(2), torch.tensor(0.5))
    with pytest.raises(RecipeError, match="mixed"):
        places(Batch(LIKE, mixed, index=torch.arange(2)), "ELR")
