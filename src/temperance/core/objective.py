"""The innermost objective, and how a technique that replaces the cross-entropy avoids computing it twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from temperance.core.batch import ANSWERS_ONLY, Batch, Pass, measure
from temperance.core.convention import plain_of
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Objective

Loss = Callable[[Any, Any], Tensor]


class PlainObjective:
    """Model, then the user's loss: an objective that says what the loss is.

    Args:
        run: the objective itself.
        loss: the user's loss.
        is_entropy: whether it is torch's cross-entropy of the outputs; None: looked at here.

    """

    def __init__(self, run: Objective, loss: Loss, *, is_entropy: bool | None = None) -> None:
        self.run, self.loss = run, loss
        self.is_entropy = is_cross_entropy(loss) if is_entropy is None else is_entropy

    def __call__(self, params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
        """Run it."""
        return self.run(params, buffers, batch, key)


def is_cross_entropy(loss: Loss) -> bool:
    """Return whether a loss is torch's plain cross-entropy: the function, or the module with nothing set."""
    if isinstance(loss, nn.CrossEntropyLoss):
        is_plain = loss.weight is None and loss.label_smoothing == 0.0 and loss.ignore_index == -100
        return type(loss) is nn.CrossEntropyLoss and is_plain and loss.reduction in ("mean", "none")
    return plain_of(loss) is plain_of(functional.cross_entropy)


def label_loss(logs: Tensor, batch: Batch) -> Tensor:
    """Return the cross-entropy () of log-probabilities (b, c) that are there already."""
    return measure(_nll, logs, batch, is_own=True)


def _nll(logs: Tensor, labels: Tensor) -> Tensor:
    return functional.nll_loss(logs, labels, reduction="none")


def without_cross_entropy(
    inner: Objective, params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any
) -> tuple[Pass, bool]:
    """Run the inner objective; leave the loss out where the caller can give the whole loss itself.

    Returns:
        the pass, and whether its loss was left out (0): the user's loss is torch's cross-entropy, nothing stands
        between, the outputs are (b, c) and the targets are class numbers (b,). The caller then adds its whole loss,
        not what it differs by.

    """
    targets = batch.targets
    is_known = isinstance(inner, PlainObjective) and inner.is_entropy
    if not is_known or not isinstance(targets, Tensor) or targets.dim() != 1 or targets.is_floating_point():
        return inner(params, buffers, batch, key), False
    passed = inner(params, buffers, batch._replace(targets=ANSWERS_ONLY), key)._replace(batch=batch)
    if isinstance(passed.outputs, Tensor) and passed.outputs.dim() == 2:
        return passed, True
    return passed._replace(loss=measure(inner.loss, passed.outputs, batch)), False  # type: ignore[attr-defined]
