"""Conformance checks of what a technique must leave alone: weights without a gradient, the past, copies."""

from __future__ import annotations

import copy
import warnings
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from temperance.core.readings import NeverBegan
from temperance.core.recipe import Recipe
from temperance.core.regularizer import Regularizer
from temperance.testing.checks import shape_of
from temperance.testing.problems import CLASSES, Problem
from temperance.testing.training import STEPS, Bystander, assert_same, attach, outcome, train

HALF = STEPS // 2


class WithIdle(nn.Module):
    """A model with a head that no pass goes through."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body, self.idle = body, nn.Linear(CLASSES, CLASSES)

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """Return what the body gives."""
        return self.body(*inputs, **named)


def idle(one: Regularizer, problem: Problem) -> None:
    """Check that a head without a gradient, and a layer that is frozen midway, stay bit for bit as they are.

    A penalty on the weights gives the head a gradient; then torch's optimizer moves it, as in a loop by hand.
    """
    session = attach(Recipe(one), replace(problem, build=lambda: WithIdle(problem.build())))
    head = session.module.idle
    start = {name: p.detach().clone() for name, p in head.named_parameters()}  # type: ignore[union-attr,operator]
    train(session, problem, range(HALF))
    layer = next(m for m in session.module.body.modules() if isinstance(m, (nn.Linear, nn.Conv2d, nn.GRU)))  # type: ignore[union-attr,operator]
    layer.requires_grad_(False)
    frozen = {name: p.detach().clone() for name, p in layer.named_parameters()}
    train(session, problem, range(HALF, STEPS))
    assert_same(dict(layer.named_parameters()), frozen, "a layer that was frozen midway")
    if all(p.grad is None for p in head.parameters()):  # type: ignore[union-attr,operator]
        assert_same(dict(head.named_parameters()), start, "a head without a gradient")  # type: ignore[union-attr,operator]
        served = {name: session.served[f"idle.{name}"] for name in start}
        assert_same(served, start, "a head without a gradient, as it is served")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NeverBegan)
            session.finish(batches=[problem.batch(0)])
        own = {name: p for name, p in start.items() if not name.startswith("temperance_")}  # those go at the end
        assert_same(dict(head.named_parameters()), own, "a head without a gradient, after finish")  # type: ignore[union-attr,operator]


def back(one: Regularizer, problem: Problem) -> None:
    """Check that a session that goes back to its snapshot, in the same process, trains as it did the first time."""
    session = train(attach(Recipe(one, Bystander()), problem), problem, range(HALF))
    kept, plain = session.snapshot(), session.state_dict()
    first = outcome(train(session, problem, range(HALF, STEPS)))
    for number in range(2):
        session.restore(kept)
        again = outcome(train(session, problem, range(HALF, STEPS)))
        assert_same(again, first, f"back to the snapshot, time {number + 1}")
    session.load_state_dict(plain)
    assert_same(outcome(train(session, problem, range(HALF, STEPS))), first, "back to the state dict")


def plain_copy(one: Regularizer, problem: Problem) -> None:
    """Check that a deep copy of the attached model is the plain model with its weights, and that training goes on."""
    session = train(attach(Recipe(one), problem), problem, range(HALF))
    trained = {name: t.detach().clone() for name, t in session.module.state_dict().items()}
    twin, fresh = copy.deepcopy(session.module), problem.model()
    assert shape_of(twin) == shape_of(fresh), "techniques were copied too"
    assert_same(
        {n: twin.state_dict()[n] for n in fresh.state_dict()}, {n: trained[n] for n in fresh.state_dict()}, "a copy"
    )
    optimizer = torch.optim.SGD(twin.parameters(), lr=0.05)
    Recipe(one).attach(twin, optimizer, loss=problem.loss, epochs=2, steps_per_epoch=HALF).step(problem.batch(0))
    untouched = train(attach(Recipe(one), problem), problem, range(STEPS))
    assert_same(outcome(train(session, problem, range(HALF, STEPS))), outcome(untouched), "trained on after a copy")
