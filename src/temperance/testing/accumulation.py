"""Checks of gradient accumulation, and of loops that call ``backward`` themselves."""

from __future__ import annotations

import torch
from torch.utils import _pytree as tree

from temperance.core.batch import Batch, map_leaves
from temperance.core.leaves import Leaves
from temperance.core.recipe import Recipe
from temperance.core.regularizer import Regularizer
from temperance.core.session import Session
from temperance.records.errors import RecipeError
from temperance.testing.checks import counted
from temperance.testing.problems import Problem
from temperance.testing.training import STEPS, assert_same, attach, outcome

PARTS, FIRST_ROWS = 2, 7
CLOSE = 1e-9


def accumulation(one: Regularizer, problem: Problem) -> None:
    """Check that micro-batches make one update, at their passes' cost, and that the user may call ``backward``.

    ``session.loss`` · ``backward`` · ``session.update`` must equal ``session.step`` bit for bit, also over
    micro-batches; a technique that needs a second pass at other weights must refuse it.
    """
    ours, own = attach(Recipe(one), problem), attach(Recipe(one), problem)
    updates: list[int] = []
    hook = ours.optimizer.register_step_post_hook(lambda *_: updates.append(1))
    with counted(ours) as counts:
        for number in range(STEPS):
            ours.step(micros(problem, number % 2))
    hook.remove()
    passes = STEPS * PARTS
    assert counts == {"forward": one.cost.forwards * passes, "backward": one.cost.backwards * passes}, f"cost: {counts}"
    assert len(updates) == ours.steps == STEPS, f"{len(updates)} updates in {STEPS} steps"
    for name, t in [*ours.solo.home.items(), *ours.served.items()]:
        assert bool(torch.isfinite(t).all()), f"{name} is not finite"
    if "gradient" in one.stages() and one.cost.backwards > 1:
        _refuses_loss(own, problem)
        return
    for number in range(STEPS):
        _step_by_hand(own, micros(problem, number % 2))
    assert_same(outcome(own), outcome(ours), "loss, backward, update over micro-batches")
    ours.step(problem.batch(2))
    _step_by_hand(own, [problem.batch(2)])
    assert_same(outcome(own), outcome(ours), "loss, backward, update")


def whole_batch(one: Regularizer, problem: Problem) -> None:
    """Check that micro-batches end where one batch of all their rows ends; those of a noisy technique draw apart.

    Running statistics stand still here, because rows meet in BatchNorm. Rows come again, so memories of rows count.
    """
    whole, parts = _still(one, problem), _still(one, problem)
    for number in range(STEPS):
        cut = micros(problem, number % 2, torch.float64)
        whole.step(_joined(cut))
        parts.step(cut)
    off = _apart(parts.solo.home, whole.solo.home)
    if off <= CLOSE:
        return
    assert _is_noisy(one, problem), f"without noise, micro-batches end {off:.2g} of the weights away from their union"
    single, repeated = _still(one, problem), _still(one, problem)
    for number in range(3):
        batch = problem.batch(number, torch.float64)
        single.step(batch)
        repeated.step([batch, batch])
    assert _apart(repeated.solo.home, single.solo.home) > CLOSE, "every micro-batch draws the same noise"


def micros(problem: Problem, number: int, dtype: torch.dtype = torch.float32) -> list[Batch]:
    """Return two micro-batches of unequal size: the first rows of one batch, and the next batch."""
    first, rows = problem.batch(number, dtype), slice(0, FIRST_ROWS)
    index = None if first.index is None else first.index[rows]
    part = Batch(map_leaves(lambda x: x[rows], first.inputs), first.targets[rows], index=index)
    return [part, problem.batch(number + 1, dtype)]


def _joined(parts: list[Batch]) -> Batch:
    rows = [(part.inputs, part.targets, part.index) for part in parts]
    inputs, targets, index = tree.tree_map(lambda *leaves: torch.cat(leaves), *rows)
    return Batch(inputs, targets, index=index)


def _step_by_hand(session: Session, parts: list[Batch]) -> None:
    total = sum(part.size for part in parts)
    session.optimizer.zero_grad()
    for part in parts:
        loss = session.loss(part)
        (loss * (part.size / total) if len(parts) > 1 else loss).backward()  # type: ignore[no-untyped-call]
    session.update()


def _refuses_loss(session: Session, problem: Problem) -> None:
    said = ""
    try:
        session.loss(problem.batch(0))
    except RecipeError as error:
        said = str(error)
    assert "session.step" in said, (
        f"session.loss() must refuse a technique with a second pass elsewhere; it said {said!r}"
    )


def _still(one: Regularizer, problem: Problem, seed: int = 0) -> Session:
    session = attach(Recipe(one), problem, seed=seed, dtype=torch.float64)
    for layer in session.solo.statistics:
        layer.eval()
    return session


def _is_noisy(one: Regularizer, problem: Problem) -> bool:
    first, second = _still(one, problem, 0), _still(one, problem, 1)
    for number in range(STEPS):
        for session in (first, second):
            session.step(problem.batch(number % 2, torch.float64))
    return _apart(first.solo.home, second.solo.home) > CLOSE


def _apart(one: Leaves, two: Leaves) -> float:
    """Return the greatest distance of two tensors of one name over the size of the second."""
    pairs = zip(one.tensors, two.tensors, strict=True)
    return max(float((a - b).detach().norm() / (b.detach().norm() + 1e-300)) for a, b in pairs)
