"""A pass and the way back from it to the inputs, ready to be differentiated again; in both executors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor

from temperance.core.attention import plain_attention
from temperance.core.batch import Batch, Pass, reduce
from temperance.core.kit.attacks import Inner
from temperance.core.kit.inputs import attached_inputs, floating, movable, slopes_of
from temperance.core.leaves import Leaves
from temperance.core.nest import with_floating
from temperance.core.wrappers import uncompiled
from temperance.records.errors import RecipeError


class Traced(NamedTuple):
    """A pass, and how to go back from it to the inputs.

    Attributes:
        passed: the pass.
        pull: (∂ by the loss, ∂ by the outputs) → ∂ by each floating input, ready to be differentiated again.

    """

    passed: Pass
    pull: Callable[[Tensor | None, Tensor | None], list[Tensor]]


def traced(
    inner: Inner, params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any, *, solo: bool, owner: str
) -> Traced:
    """Run the objective once and keep the way back to the inputs; fused attention, which has no second slope, is off.

    Raises:
        RecipeError: no floating inputs, or outputs that are no tensor.

    """
    batch = movable(batch, owner)
    xs = floating(batch.inputs, owner)

    def run(points: Sequence[Tensor]) -> Pass:
        with plain_attention(), attached_inputs(owner):
            passed = inner(params, buffers, batch._replace(inputs=with_floating(batch.inputs, points)), key)
        if not isinstance(passed.outputs, Tensor):
            raise RecipeError(
                f"the model gave {type(passed.outputs).__name__}", f"{owner} needs one tensor", f"Leave {owner} out"
            )
        return passed

    if not solo:
        return _traced_pure(run, xs)
    own = [x if x.requires_grad else x.detach().requires_grad_() for x in xs]
    with torch.backends.cudnn.flags(enabled=False) if _recurrent(xs) else nullcontext(), uncompiled():
        passed = run(own)

    def pull(of_loss: Tensor | None, of_outputs: Tensor | None) -> list[Tensor]:
        pairs = [(t, v) for t, v in ((passed.loss, of_loss), (passed.outputs, of_outputs)) if v is not None]
        return slopes_of([t for t, _ in pairs], own, [v for _, v in pairs], create_graph=True)

    return Traced(passed, pull)


def _recurrent(xs: Sequence[Tensor]) -> bool:
    return any(x.is_cuda and x.dim() == 3 for x in xs)  # cuDNN's recurrent layers have no second derivative


def _traced_pure(run: Callable[[Sequence[Tensor]], Pass], xs: list[Tensor]) -> Traced:
    def flat(*points: Tensor) -> tuple[tuple[Tensor, Tensor], Any]:
        passed = run(points)
        return (passed.loss, passed.outputs), (passed.buffers, passed.memory, passed.notes)

    (loss, outputs), back, rest = torch.func.vjp(flat, *xs, has_aux=True)  # type: ignore[misc]

    def pull(of_loss: Tensor | None, of_outputs: Tensor | None) -> list[Tensor]:
        first = torch.zeros_like(loss) if of_loss is None else of_loss
        second = torch.zeros_like(outputs) if of_outputs is None else of_outputs
        return list(back((first, second)))

    return Traced(Pass(loss, outputs, *rest), pull)


def squared_lengths(parts: Sequence[Tensor]) -> Tensor:
    """Return Σ over leaves of ‖·‖² per example. Shapes: (b, …) each → (b,)."""
    sizes = [g.square().sum(tuple(range(1, g.dim()))) if g.dim() > 1 else g.square() for g in parts]
    return sizes[0] if len(sizes) == 1 else torch.stack(sizes).sum(0)


def mean_squared(parts: Sequence[Tensor], weight: Tensor | None) -> tuple[Tensor, float]:
    """Return what, times the number beside it, is the (weighted) mean over examples of Σ over leaves of ‖·‖².

    The number is left out of the graph, so that the way back has one operation less.

    Shapes: parts (b, …), weight (b,) → ().
    """
    if weight is not None:
        return reduce(squared_lengths(parts), weight), 1.0
    sizes = [g.square().sum() for g in parts]
    return sizes[0] if len(sizes) == 1 else torch.stack(sizes).sum(), 1.0 / len(parts[0])
