"""Gradients of a model's outputs with respect to its inputs, in both executors, ready to be differentiated again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as tree

from temperance.core.attention import plain_attention
from temperance.core.batch import Batch, Pass
from temperance.core.leaves import Leaves
from temperance.core.wrappers import uncompiled
from temperance.records.errors import RecipeError

Inner = Callable[[Leaves, Mapping[str, Tensor], Batch, Any], Pass]


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
    leaves, spec = tree.tree_flatten(batch.inputs)
    at = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Tensor) and leaf.is_floating_point()]
    if not at:
        raise RecipeError(
            f"{owner} finds no inputs with decimals to take gradients by",
            "it needs a floating tensor among the inputs",
            f"Leave {owner} out, or feed the embedded rows",
        )

    def run(chosen: list[Tensor]) -> tuple[Tensor, Pass]:
        every = list(leaves)
        for i, leaf in zip(at, chosen, strict=True):
            every[i] = leaf
        passed = inner(params, buffers, batch._replace(inputs=tree.tree_unflatten(every, spec)), key)
        return of(passed.outputs), passed

    with plain_attention(), attached_inputs(owner), uncompiled():
        if not params.owned:
            grads, passed = torch.func.grad(lambda x: _bare(run(x)), has_aux=True)([leaves[i] for i in at])
            return list(grads), passed
        own = [x if x.requires_grad else x.detach().requires_grad_() for x in (leaves[i] for i in at)]
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
