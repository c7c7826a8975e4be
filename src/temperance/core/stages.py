"""Composes the stages: wraps the plain objective, gradient and update in the techniques, in their order."""

from __future__ import annotations

from collections.abc import Mapping

from temperance.core.leaves import Leaves
from temperance.core.regularizer import Gradient, Memory, Objective, Rank, Regularizer, Strengths, Update

# Innermost first. A batch passes augment, mix, then attack on its way in; a loss target, then penalty on its way out.
_OBJECTIVE = (Rank.ATTACK, Rank.MIX, Rank.AUGMENT, Rank.TARGET, Rank.PENALTY)
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
        inner = parts[address].objective(inner, strengths[address], memory[address])
    return inner


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
