"""Which weights the loss reaches: a penalty leaves the others alone, such as those of a head that nobody calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from temperance.core.leaves import Leaves
from temperance.core.regularizer import Memory

LOOKS = 32  # passes that must reach all weights before they are taken to reach them always


def _itself(item: Any) -> tuple[str, ...]:
    return (item,)


def reached(
    memory: Memory, params: Leaves, loss: Tensor, names: Callable[[Any], tuple[str, ...]] = _itself
) -> tuple[Any, ...]:
    """Return those of ``memory.plan`` that the loss depends on, as the history of ``loss`` tells.

    Where the first passes reach all of them, later ones are not looked at: it costs nothing. Where one did not (a
    router left an expert out), all passes are looked at. All are returned where the history cannot tell: in a pure
    step, and where a ``torch.autograd.Function`` of somebody's (reentrant checkpoints, say) hides what it calls.

    Args:
        memory: of the technique.
        params: the weights.
        loss: the loss without the penalty, ().
        names: item of the plan → names of its weights; one that is reached suffices.

    """
    plan: tuple[Any, ...] = memory.plan
    if memory.settled is plan or not params.owned or not loss.requires_grad:
        return plan
    found = _leaves(loss)
    kept = plan
    if found is not None:
        kept = tuple(item for item in plan if any(id(params.get(name)) in found for name in names(item)))
    if len(kept) < len(plan):
        memory.looks = -1
        return kept
    memory.looks += memory.looks >= 0
    if memory.looks == LOOKS:
        memory.settled, memory.looks = plan, 0
    return plan


def _leaves(loss: Tensor) -> set[int] | None:
    """Return the ids of the leaves in the history of ``loss``; None where a node may hide some."""
    todo: list[Any] = [loss.grad_fn]
    nodes: set[Any] = set()
    found: set[int] = set()
    while todo:
        node = todo.pop()
        if node is None or node in nodes:
            continue
        nodes.add(node)
        leaf = getattr(node, "variable", None)
        if leaf is not None:
            found.add(id(leaf))
        elif isinstance(node, torch.autograd.function.BackwardCFunction) and "Compiled" not in type(node).__name__:
            return None
        todo += [before for before, _ in node.next_functions]
    return found
