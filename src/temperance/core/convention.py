"""How a loss reads its targets: class numbers or several labels, which number is left out, where the classes stand.

Techniques on targets need to know it, and a loss does not say it. Torch's own losses are known; for any other function
the first batch tells what it can.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Kind = Literal["classes", "shifted", "labels", "probabilities", "numbers", "whole", "unknown"]
IGNORE = -100  # what torch, and all who follow it, write into targets that do not count


@dataclass(frozen=True)
class Convention:
    """How the loss reads its targets.

    Attributes:
        kind: ``classes`` (one class per row or place; logits), ``shifted`` (classes of a causal language model, where
            only the loss knows which place it compares with which), ``labels`` (several per row; one logit each),
            ``probabilities`` (the outputs are probabilities, no logits), ``numbers`` (regression), ``whole`` (the loss
            compares the rows of a batch with each other, so it cannot be split) or ``unknown``.
        ignore_index: class number of places that do not count.
        axis: axis of the classes in outputs of three or more axes; None: not known.
        name: the loss, for messages.
        is_weighted: the loss weighs classes by itself.
        smoothing: how far the loss softens its targets by itself.
        is_sum: the loss sums over rows instead of taking their mean.
        takes_soft: targets with decimals may be probabilities over classes.
        by_member: class numbers (b, k) are those of k members, whose mean is the loss of a row; else of k places.
        is_own: the loss is no plain cross-entropy of outputs and targets, as its numbers told.

    """

    kind: Kind = "unknown"
    ignore_index: int = IGNORE
    axis: int | None = None
    name: str = "the loss"
    is_weighted: bool = False
    smoothing: float = 0.0
    is_sum: bool = False
    takes_soft: bool = True
    by_member: bool = False
    is_own: bool = False


UNKNOWN = Convention()

_MODULES: tuple[tuple[tuple[type[nn.Module], ...], Kind], ...] = (
    ((nn.CrossEntropyLoss, nn.NLLLoss), "classes"),
    ((nn.BCEWithLogitsLoss, nn.MultiLabelSoftMarginLoss), "labels"),
    ((nn.BCELoss,), "probabilities"),
    ((nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss, nn.GaussianNLLLoss, nn.PoissonNLLLoss), "numbers"),
)
_FORWARDS = (nn.CrossEntropyLoss.forward, nn.NLLLoss.forward)
_FUNCTIONS: dict[Any, Kind] = {
    getattr(functional.cross_entropy, "temperance_plain", functional.cross_entropy): "classes",
    functional.nll_loss: "classes",
    functional.binary_cross_entropy_with_logits: "labels",
    functional.multilabel_soft_margin_loss: "labels",
    functional.binary_cross_entropy: "probabilities",
    functional.mse_loss: "numbers",
    functional.l1_loss: "numbers",
    functional.smooth_l1_loss: "numbers",
    functional.huber_loss: "numbers",
    functional.gaussian_nll_loss: "numbers",
    functional.poisson_nll_loss: "numbers",
}


class WholeBatch:
    """Marks a loss that compares the rows of a batch with each other (contrastive, CLIP, batch-hard triplets).

    Such a loss cannot be split: micro-batches, row weights and techniques that mix rows or read classes refuse by name.

    Args:
        loss: ``loss(outputs, targets)`` → ().

    Example:
        >>> loss = WholeBatch(lambda pairs, _: torch.cdist(*pairs).mean())
        >>> loss((torch.zeros(2, 3), torch.zeros(2, 3)), None)
        tensor(0.)

    """

    def __init__(self, loss: Callable[[Any, Any], Tensor]) -> None:
        self.loss = loss
        self.convention = Convention("whole", name=name_of(loss))

    def __call__(self, outputs: Any, targets: Any) -> Tensor:
        """Return the loss of the batch, ()."""
        return self.loss(outputs, targets)


def convention_of(loss: Any) -> Convention:
    """Return what is known of a loss before the first batch.

    Args:
        loss: a torch loss (module, function or ``functools.partial`` of one), or any callable; one that has an
            attribute ``convention`` is taken at its word.

    """
    own = getattr(loss, "convention", None)
    if isinstance(own, Convention):
        return own
    given, inner = _opened(loss)
    kind: Kind = next((kind for known, kind in _MODULES if isinstance(inner, known)), "unknown")
    if kind == "unknown":
        kind = _FUNCTIONS.get(inner, "unknown") if callable(inner) and _is_hashable(inner) else "unknown"
    if kind == "unknown":
        return replace(UNKNOWN, name=name_of(loss))
    ignore = given.get("ignore_index", getattr(inner, "ignore_index", IGNORE))
    weights = (given.get(n, getattr(inner, n, None)) for n in ("weight", "pos_weight"))
    known = Convention(
        kind, int(ignore), 1 if kind == "classes" else None, name_of(inner), any(w is not None for w in weights),
        float(given.get("label_smoothing", getattr(inner, "label_smoothing", 0.0))),
        given.get("reduction", getattr(inner, "reduction", "mean")) == "sum",
    )  # fmt: skip
    if kind == "classes" and isinstance(inner, nn.Module) and type(inner).forward not in _FORWARDS:
        # what a subclass computes, and divides by, is its own: only its numbers tell
        return replace(known, kind="unknown", axis=None, is_sum=False)
    return known


def mean_weights(loss: Any) -> Tensor | None:
    """Return the class weights that torch's own loss divides its mean by; None where it has none or takes no mean.

    Shapes: (c,) or None.
    """
    given, inner = _opened(loss)
    weights = given.get("weight", getattr(inner, "weight", None))
    takes_mean = given.get("reduction", getattr(inner, "reduction", "mean")) == "mean"
    return weights if takes_mean and isinstance(weights, Tensor) else None


def _opened(loss: Any) -> tuple[dict[str, Any], Any]:
    """Return the settings that ``functools.partial`` gave a loss, and the loss inside."""
    given: dict[str, Any] = {}
    while isinstance(loss, partial):
        given, loss = {**loss.keywords, **given}, loss.func
    return given, plain_of(loss)


def plain_of(function: Any) -> Any:
    """Return torch's own function, where ``temperance.proof`` listens through a wrapper around it."""
    return getattr(function, "temperance_plain", function)


def name_of(loss: Any) -> str:
    """Return how a loss is called in messages."""
    own = type(loss).__name__ if isinstance(loss, nn.Module) else getattr(loss, "__name__", type(loss).__name__)
    return "a loss of your own" if own == "<lambda>" else str(own)


def taught(convention: Convention, targets: Any) -> Convention:
    """Return the convention after a look at the first targets, where the loss itself said nothing.

    Numbers with decimals (b, …, c) are probabilities over classes where each row sums to 1, else several labels where
    all are 0 or 1, else values.
    """
    if convention.kind != "unknown" or not isinstance(targets, Tensor) or not targets.is_floating_point():
        return convention
    if targets.dim() < 2 or targets.shape[-1] < 2:
        return convention
    rows = targets.detach()
    sums = rows.sum(-1)
    if convention.takes_soft and bool((rows >= 0).all()) and torch.allclose(sums, torch.ones_like(sums), atol=1e-3):
        return replace(convention, kind="classes", axis=-1 if rows.dim() == 2 else None)
    is_label = bool(((rows == 0) | (rows == 1)).all())
    return replace(convention, kind="labels" if is_label else "numbers")


def _is_hashable(value: Any) -> bool:
    return type(value).__hash__ is not None
