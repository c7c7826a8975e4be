"""Weights that the loss does not reach are left alone by penalties; where it reaches all, nothing is looked at."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from temperance import L1, L2, ConcreteDropout, ElasticNet, LabelSmoothing, Orthogonality, Recipe
from temperance.core.kit.reach import LOOKS, reached
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Memory

PENALTIES = [L1(1e-3), L2(1e-2), ElasticNet(1e-3), Orthogonality(), ConcreteDropout()]


class Heads(nn.Module):
    """A head that is used, and one that is used when it is asked for."""

    def __init__(self):
        super().__init__()
        self.body, self.head, self.idle, self.both = nn.Linear(8, 6), nn.Linear(6, 3), nn.Linear(6, 3), False

    def forward(self, x):
        h = self.body(x).relu()
        return self.head(h) + self.idle(h) if self.both else self.head(h)


def attached(model, *recipe):
    return Recipe(*recipe).attach(
        model, torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.0), loss=functional.cross_entropy
    )


def batch():
    return torch.randn(12, 8, generator=torch.Generator().manual_seed(0)), torch.arange(12) % 3


@pytest.mark.parametrize("more", [[], [LabelSmoothing(0.1)]], ids=["alone", "a target technique"])
@pytest.mark.parametrize("one", PENALTIES, ids=lambda one: type(one).__name__)
def test_an_idle_head_stays_as_it_is_and_is_punished_once_it_is_used(one, more):
    torch.manual_seed(0)
    model = Heads()
    session = attached(model, one, *more)
    before, used = model.idle.weight.detach().clone(), model.head.weight.detach().clone()
    for _ in range(5):
        session.step(batch())
    assert torch.equal(model.idle.weight, before)
    assert model.idle.weight.grad is None
    assert not torch.equal(model.head.weight, used)
    model.both = True
    session.step(batch())
    assert not torch.equal(model.idle.weight, before)


def known(loss, params, plan=("a", "b")):
    memory = Memory({}, address="l2", plan=plan)
    return memory, reached(memory, Leaves.of(params, owned=True), loss)


def test_where_all_are_reached_later_passes_are_not_looked_at_until_the_plan_is_another():
    a, b = (torch.ones(2, requires_grad=True) for _ in "ab")
    params = Leaves.of({"a": a, "b": b}, owned=True)
    memory, found = known((a * b).sum(), {"a": a, "b": b})
    assert found is memory.plan
    for _ in range(LOOKS - 1):
        assert reached(memory, params, (a * b).sum()) is memory.plan
    assert reached(memory, params, a.sum()) == ("a", "b")
    memory.plan = (*memory.plan[:1], "b")  # another tuple
    assert reached(memory, params, a.sum()) == ("a",)
    assert reached(memory, params, (a * b).sum()) == ("a", "b")


def test_an_expert_that_some_pass_left_out_is_looked_for_in_each():
    a, b = (torch.ones(2, requires_grad=True) for _ in "ab")
    params = Leaves.of({"a": a, "b": b}, owned=True)
    memory, _ = known((a * b).sum(), {"a": a, "b": b})
    assert reached(memory, params, a.sum()) == ("a",)
    for _ in range(2 * LOOKS):
        assert reached(memory, params, (a * b).sum()) == ("a", "b")
    assert reached(memory, params, b.sum()) == ("b",)


def test_where_the_history_hides_weights_all_are_punished():
    a, b, x = (torch.ones(2, requires_grad=True) for _ in "abx")
    assert known(a.sum(), {"a": a, "b": b})[1] == ("a",)
    hidden = checkpoint(lambda x: x * b, x, use_reentrant=True)
    assert known((a * hidden).sum(), {"a": a, "b": b})[1] == ("a", "b")
    open_ = checkpoint(lambda x: x * b, x, use_reentrant=False)
    assert known(open_.sum(), {"a": a, "b": b})[1] == ("b",)
    assert known(torch.ones(()), {"a": a, "b": b})[1] == ("a", "b")
