"""Gradients of a model's outputs with respect to its inputs, in both executors, ready to be differentiated again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from temperance.core.attention import plain_attention
from temperance.core.batch import Batch, Pass
from temperance.core.embedding import Tokens
from temperance.core.leaves import Leaves
from temperance.core.nest import fields_of, floating_leaves, with_floating
from temperance.core.shifted import Shifted
from temperance.core.wrappers import uncompiled
from temperance.records.errors import RecipeError

Inner = Callable[[Leaves, Mapping[str, Tensor], Batch, Any], Pass]


def movable(batch: Batch, owner: str) -> Batch:
    """Return a batch whose inputs can be moved: itself, or with a shift of 0 on the vectors of its tokens.

    The one step by which a technique for inputs with decimals serves models of tokens too: ``floating`` and
    ``with_floating`` see the shift, and a call of the model adds it behind the input embedding. The technique declares
    ``moves_inputs``.

    Raises:
        RecipeError: there is nothing that can be moved; the only numbers with decimals are a mask.

    """
    _require_no_mask(batch.inputs, owner)
    if isinstance(batch.inputs, Shifted) or batch.seam is None or floating_leaves(batch.inputs):
        return batch
    return batch._replace(inputs=batch.seam.shifted(batch, owner))


def embedded(batch: Batch, owner: str) -> Shifted:
    """Return the inputs of a batch with a shift of 0 on the vectors of its tokens, whatever else the inputs hold.

    Raises:
        RecipeError: no input embedding is found, or several; the batch is no session's.

    """
    return _seam(batch, owner).shifted(batch, owner)  # type: ignore[no-any-return]


def tokens(batch: Batch, owner: str) -> Tokens:
    """Return the tokens of a batch: ids, which of them count, and what the model's config says of special ones.

    Raises:
        RecipeError: no input embedding is found, or several; the batch is no session's.

    """
    return _seam(batch, owner).tokens(batch, owner)  # type: ignore[no-any-return]


def _seam(batch: Batch, owner: str) -> Any:
    if batch.seam is None:
        raise RecipeError(
            f"{owner} got a batch without seam", "it acts on the vectors of tokens", "Run it in a session's step"
        )
    return batch.seam


def _require_no_mask(inputs: Any, owner: str) -> None:
    named = fields_of(inputs) if not isinstance(inputs, Shifted) else None
    if not named:
        return
    found = [str(name) for name, x in named.items() if isinstance(x, Tensor) and x.is_floating_point()]
    if found and all(name.endswith("mask") for name in found) and len(found) < len(named):
        raise RecipeError(
            f"{owner} found numbers with decimals in {', '.join(map(repr, found))} alone",
            "a mask says what counts, and is not to be moved",
            "Give it as whole numbers or booleans: mask.long()",
        )


def floating(inputs: Any, owner: str) -> list[Tensor]:
    """Return the floating leaves of the inputs, the only ones that can be perturbed.

    Shapes: each leaf (b, …).

    Raises:
        RecipeError: there is none.

    """
    found = floating_leaves(inputs)
    if not found:
        raise RecipeError(
            f"{owner} found no floating tensor among the inputs",
            "it follows slopes in the inputs, and whole numbers have none",
            f"Leave {owner} out of recipes for codes and tokens",
        )
    return found


def input_gradients(
    inner: Inner,
    params: Leaves,
    buffers: Mapping[str, Tensor],
    batch: Batch,
    key: Any,
    of: Callable[[Any], Tensor],
    owner: str,
) -> tuple[list[Tensor], Pass]:
    """Run the objective and return the gradients of ``of(outputs)`` by each floating leaf of the inputs, and the pass.

    Fused attention has no second derivative, so the plain one is used meanwhile.

    Args:
        inner: objective.
        params: weights.
        buffers: buffers.
        batch: one batch.
        key: key of the pass.
        of: makes () of the outputs.
        owner: technique that asks, for the error.

    Raises:
        RecipeError: no leaf of the inputs is a floating one.

    """
    xs = floating(batch.inputs, owner)

    def run(chosen: list[Tensor]) -> tuple[Tensor, Pass]:
        passed = inner(params, buffers, batch._replace(inputs=with_floating(batch.inputs, chosen)), key)
        return of(passed.outputs), passed

    with plain_attention(), attached_inputs(owner), uncompiled():
        if not params.owned:
            grads, passed = torch.func.grad(lambda x: _bare(run(x)), has_aux=True)(xs)
            return list(grads), passed
        own = [x if x.requires_grad else x.detach().requires_grad_() for x in xs]
        value, passed = run(own)
        return slopes_of([value], own, None, create_graph=True), passed


def slopes_of(
    values: Sequence[Tensor], points: Sequence[Tensor], along: Sequence[Tensor] | None, *, create_graph: bool = False
) -> list[Tensor]:
    """Return the gradients of ``values`` by points that the model was run at; zeros for a point that does not matter.

    Shapes: values any, ``along`` as they are (None where each is ()), points (b, …) → as the points.

    Raises:
        RecipeError: no gradient reaches any of them, so a technique would act on nothing.

    """
    try:
        found = torch.autograd.grad(values, points, along, create_graph=create_graph, allow_unused=True)
    except RuntimeError as fault:
        if "use_reentrant" not in str(fault):
            raise
        raise RecipeError(
            "the model is checkpointed with use_reentrant=True, and a technique needs gradients by its inputs",
            "torch gives those with use_reentrant=False alone",
            "Checkpoint with use_reentrant=False, or leave techniques that need input gradients out",
        ) from fault
    if all(g is None for g in found):
        raise RecipeError(
            "a technique needs gradients by the inputs, and none comes through the model",
            "a model whose answer depends on its floating inputs by differentiable operations",
            "Look for detach, no_grad or a rounding of the inputs in forward, or leave the technique out",
        )
    return [torch.zeros_like(x) if g is None else g for g, x in zip(found, points, strict=True)]


def _bare(result: tuple[Tensor, Pass]) -> tuple[Tensor, Pass]:
    """Leave out the batch, which is no result."""
    return result[0], result[1]._replace(batch=())


@contextmanager
def attached_inputs(owner: str) -> Iterator[None]:
    """Name the technique where a model detaches its inputs by hand: wav2vec2 and its kin set ``requires_grad`` anew.

    Raises:
        RecipeError: the model does so.

    """
    try:
        yield
    except RuntimeError as fault:
        if "requires_grad flags of leaf" not in str(fault):
            raise
        raise RecipeError(
            f"the model sets requires_grad on what it makes of its inputs, and {owner} needs their gradients",
            "torch allows that for tensors without a history alone",
            f"Freeze the part that does so (model.freeze_feature_encoder() in transformers), or leave {owner} out",
        ) from fault
