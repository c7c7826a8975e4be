"""Composes the stages: wraps the plain objective, gradient and update in the techniques, in their order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from temperance.core.batch import ANSWERS_ONLY, Batch, Pass
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Gradient, Memory, Objective, Rank, Regularizer, Strengths, Update

# Innermost first. A batch passes augment, mix, then attack on its way in; a loss target, then penalty on its way out.
_OBJECTIVE = (Rank.ATTACK, Rank.MIX, Rank.AUGMENT, Rank.TARGET, Rank.PENALTY)
_OF_TARGETS = (Rank.ATTACK, Rank.MIX, Rank.TARGET)
_GRADIENT = (Rank.ASCEND, Rank.NOISE, Rank.CLIP)
# Decay acts before the optimizer, projections after it, both at the rates set around them; averages see what comes out.
_UPDATE = (Rank.DECAY, Rank.PROJECT, Rank.RATE, Rank.AVERAGE)

Parts = Mapping[str, Regularizer]
AllStrengths = Mapping[str, Strengths]
AllMemory = Mapping[str, Memory]


def _inner_to_outer(parts: Parts, stage: str, order: tuple[Rank, ...]) -> list[str]:
    chosen = [address for address, one in parts.items() if stage in one.stages()]
    return sorted(chosen, key=lambda a: order.index(parts[a].rank) if parts[a].rank in order else len(order))


def objective_order(parts: Parts) -> list[str]:
    """Return the addresses that wrap the objective, innermost first."""
    return _inner_to_outer(parts, "objective", _OBJECTIVE)


def objective(parts: Parts, inner: Objective, strengths: AllStrengths, memory: AllMemory) -> Objective:
    """Wrap the plain objective in every technique of that stage."""
    innermost = inner
    for address in objective_order(parts):
        memory[address].innermost = innermost
        one = parts[address]
        outer = one.objective(inner, strengths[address], memory[address])
        inner = _unless_asked(outer, inner) if one.rank in _OF_TARGETS else outer
    return inner


def _unless_asked(outer: Objective, inner: Objective) -> Objective:
    """Leave a technique out of passes that another one asks for their outputs alone: there are no targets to act on."""

    def run(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
        return (inner if batch.targets is ANSWERS_ONLY else outer)(params, buffers, batch, key)

    return run


def gradient(parts: Parts, inner: Gradient, strengths: AllStrengths, memory: AllMemory) -> Gradient:
    """Wrap the plain gradient."""
    for address in _inner_to_outer(parts, "gradient", _GRADIENT):
        inner = parts[address].gradient(inner, strengths[address], memory[address])
    return inner


def update(parts: Parts, inner: Update, strengths: AllStrengths, memory: AllMemory) -> Update:
    """Wrap the optimizer's step."""
    for address in _inner_to_outer(parts, "update", _UPDATE):
        inner = parts[address].update(inner, strengths[address], memory[address])
    return inner


def served(parts: Parts, params: Leaves, memory: AllMemory) -> Leaves:
    """Return the weights to evaluate: each averaging technique in turn."""
    for address, one in parts.items():
        if "served" in one.stages():
            params = one.served(params, memory[address])
    return params
