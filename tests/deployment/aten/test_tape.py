"""Recording: the batch size is found, and what cannot be recorded is named."""

import pytest
import torch
from torch import nn

from temperance.deployment.aten.tape import Unsupported, plain, record


def feed(rows):
    return (torch.randn(rows, 6),), {}


def test_two_runs_give_pairs_of_the_same_nodes(kit):
    tape = record(nn.Sequential(nn.Linear(6, 4), nn.ReLU()).eval(), feed, {"t", "addmm", "relu"})
    assert all(a.op == b.op and a.target == b.target for a, b in tape.nodes)
    assert set(tape.weights) == {"0.weight", "0.bias"}


def test_operations_without_a_rule_are_split_where_torch_knows_how(kit):
    tape = record(kit.Call(lambda m, x: torch.nn.functional.hardswish(x)), feed, {"add", "clamp", "mul", "div"})
    assert "hardswish" not in {str(a.target) for a, _ in tape.nodes}
    assert len(tape.nodes) > 4


def test_in_place_operations_share_the_rule():
    assert plain("add", {"add"}) == "add"
    assert plain("add_", {"add"}) == "add"
    assert plain("mul_", {"add"}) is None
    assert plain("mul", {"add"}) is None


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda m, x: x * torch.rand(x.shape), "rand"),
        (lambda m, x: x * 2 if x.sum() > 0 else x, "recorded"),
        (lambda m, x: x * 2 if len(x) == 5 else x + 1, "another batch size"),
        (lambda m, x: (x, x), "more than one"),
        (lambda m, x: x * len(x) ** 2, "rows"),
        (lambda m, x: torch.fft.fft(x).abs(), "fft"),
        (lambda m, x: x.sort(1).values, "sort"),
        (lambda m, x: x.median(1).values, "median"),
        (lambda m, x: nn.functional.one_hot((x > 0).long(), 3).float(), "recorded"),
    ],
)
def test_what_no_rule_covers_is_named(function, reason, kit):
    with pytest.raises(Unsupported, match=reason):
        kit.compare(kit.Call(function), (6,))
