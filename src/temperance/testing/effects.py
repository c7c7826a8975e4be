"""Quantities that a stronger strength must move the way its technique declares in ``effect``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from temperance.core.policy import matrices
from temperance.core.recipe import Recipe
from temperance.core.regularizer import Regularizer
from temperance.testing.problems import Problem
from temperance.testing.training import STEPS, attach, outcome, train, trained

Effect = Callable[[Regularizer, Problem], float]


def weight_size(one: Regularizer, problem: Problem) -> float:
    """Return Σ |w| over the weight matrices after a short training."""
    model = trained(Recipe(one), problem).model
    return float(sum(model.get_parameter(name).detach().abs().sum() for name in matrices(model)))


def loss_noise(one: Regularizer, problem: Problem) -> float:
    """Return the spread of the loss over 32 seeds at the starting weights."""
    losses = [attach(Recipe(one), problem, seed=seed).loss(problem.batch(0)) for seed in range(32)]
    return float(torch.stack(losses).detach().std())


def step_length(one: Regularizer, problem: Problem) -> float:
    """Return how far one step of the optimizer goes."""
    session = attach(Recipe(one), problem)
    start = session.solo.home.clone(owned=True)
    train(session, problem, [0])
    return float(session.solo.home.add(start, -1.0).norm())


def departure(one: Regularizer, problem: Problem) -> float:
    """Return how far one step ends from where a plain step ends."""
    ends = [train(attach(recipe, problem), problem, [0]).solo.home for recipe in (Recipe(one), Recipe())]
    return float(ends[0].clone(owned=True).add(ends[1], -1.0).norm())


def lag(one: Regularizer, problem: Problem) -> float:
    """Return the distance from trained to served weights."""
    session = trained(Recipe(one), problem)
    return float(session.solo.home.clone(owned=True).add(session.served, -1.0).norm())


def confidence(one: Regularizer, problem: Problem) -> float:
    """Return the mean largest probability after many steps on the same two batches, in evaluation mode."""
    session = attach(Recipe(one), problem)
    train(session, problem, [0, 1] * 60)
    session.model.eval()
    with torch.no_grad():
        out: Any = session.model(problem.batch(0).inputs)
    return float(torch.softmax(out, -1).amax(-1).mean())


def final_weights(one: Regularizer, problem: Problem) -> float:
    """Return the norm of the served weights after a short training."""
    kept = outcome(trained(Recipe(one), problem))
    return float(torch.stack([t.norm() for name, t in kept.items() if name.startswith("served.")]).norm())


def travel(one: Regularizer, problem: Problem) -> float:
    """Return how far the weights end from where they started."""
    session = attach(Recipe(one), problem)
    start = session.solo.home.clone(owned=True)
    return float(start.add(train(session, problem, range(STEPS)).solo.home, -1.0).norm())


def passes(one: Regularizer, problem: Problem) -> float:
    """Return how many backward passes twenty steps take."""
    session = attach(Recipe(one), problem)
    count = 0

    def add(*_: Any) -> None:
        nonlocal count
        count += 1

    last = session.solo.home.tensors[-1]
    hook = last.register_post_accumulate_grad_hook(add)  # type: ignore[no-untyped-call]
    train(session, problem, range(20))
    hook.remove()
    return float(count)


EFFECTS: dict[str, Effect] = {
    one.__name__: one
    for one in (weight_size, loss_noise, step_length, departure, lag, confidence, final_weights, travel, passes)
}
