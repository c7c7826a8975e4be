"""Label smoothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass, mean
from temperance.core.kit.classes import UNTOLD, class_axis, label_logits, log_softmax
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation


@techniques.add
@dataclass(frozen=True, repr=False)
class LabelSmoothing(Regularizer):
    """Ask for a little less than full certainty.

        y' = (1 − ε)·y + ε/C;  for cross-entropy: (1 − ε)·CE(z, y) + ε · mean over classes of −log softmax(z)

    Written on the loss, so it also acts on each part of mixed targets. Beside class weights the mean over classes stays
    unweighted, unlike in torch's ``CrossEntropyLoss(weight=…, label_smoothing=ε)``, which weighs each class in it.

    Stage: objective (target).  Cost: one log-softmax.  Strengths: eps in [0, 0.5], neutral 0, linear, stronger = up.
    Shapes: outputs (b, …, c) logits, classes on ``axis`` (default: the last; 1 for (b, c, h, w)).
    Use when: accuracy is the goal and labels are noisy.  Avoid when: log loss, ranking by confidence, distillation or
    privacy matter (it lowers each of them).

    Args:
        eps: share ε of the target that is spread over all classes.
        axis: axis of the classes; None: 1 for outputs of four or more axes, else the last.

    Raises:
        SettingError: ε outside its range.
        RecipeError: the model's outputs are not one tensor of logits with at least two classes.

    References: Szegedy et al. (2016), arXiv:1512.00567, section 7.

    """

    eps: float = 0.1
    axis: int | None = None

    strengths: ClassVar[dict[str, Strength]] = {
        "eps": Strength(0.1, low=0.0, high=0.5, neutral=0.0, words="share of certainty that is given away")
    }
    family: ClassVar[str] = "targets"
    rank: ClassVar[Rank] = Rank.TARGET
    effect: ClassVar[Effect] = {"eps": ("confidence", "down")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("softens targets",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("softens targets", "refuse", "the targets would be softened twice", "Keep one of them"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "szegedy2016",
            "Szegedy et al.",
            2016,
            "Rethinking the Inception architecture for computer vision",
            "CVPR",
            "1512.00567",
            "section 7",
        ),
    )

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Blend the loss with the one of the uniform target."""

        def smoothed(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            passed = inner(params, buffers, batch, key)
            if strengths.is_off("eps"):
                return passed
            seen: Batch = passed.batch or batch
            if seen.convention.kind == "labels":
                uniform = even_labels(passed.outputs, seen)
            else:
                logs, where = log_probabilities(passed.outputs, self.axis, batch=seen)
                uniform = mean(logs if where == -1 else logs.mean(where), seen)  # over the classes too
            return passed._replace(loss=blend(passed.loss, uniform, strengths.number("eps")))

        return smoothed


def blend(loss: Tensor, mean_log: Tensor, eps: float | Tensor) -> Tensor:
    """Return (1 − ε)·loss − ε·mean_log, (); two operations where ε is a number."""
    if isinstance(eps, Tensor):
        return (1 - eps) * loss - eps * mean_log
    return loss.mul(1 - eps).sub(mean_log, alpha=eps)


def even_labels(outputs: Any, seen: Batch) -> Tensor:
    """Return minus the binary cross-entropy of logits to the target ½ for every label, ().

    So the blend is the loss of y' = (1 − ε)·y + ε/2, for it is linear in its targets.
    """
    logits = label_logits(outputs, "LabelSmoothing")
    return mean(logits / 2 - functional.softplus(logits), seen)  # ½·log σ(z) + ½·log σ(−z)


def uniform_loss(outputs: Any, axis: int | None = None) -> Tensor:
    """Return the cross-entropy to the uniform target per example, (b, …) without the class axis."""
    logs, where = log_probabilities(outputs, axis)
    return -logs.mean(where)


def log_probabilities(outputs: Any, axis: int | None = None, *, batch: Batch = UNTOLD) -> tuple[Tensor, int]:
    """Return log softmax of the outputs, same shape, and the axis of the classes.

    Raises:
        RecipeError: the outputs are not one tensor of logits with at least two classes.

    """
    where = class_axis(outputs, "LabelSmoothing", axis, batch=batch)
    return (log_softmax(outputs) if where == -1 else torch.log_softmax(outputs, where)), where
