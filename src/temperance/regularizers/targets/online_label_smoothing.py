"""Online label smoothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Mixed, Pass, between, mean
from temperance.core.counted import marked
from temperance.core.kit.classes import class_logits, log_softmax, mean_of_kept, spread
from temperance.core.leaves import Leaves
from temperance.core.objective import label_loss, without_cross_entropy
from temperance.core.regularizer import (
    Context,
    Effect,
    Memory,
    Objective,
    Rank,
    Rate,
    Regularizer,
    Strengths,
    Update,
    techniques,
)
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.errors import RecipeError, SettingError

_MIXES = Rule("mixes", "refuse", "the class matrix is learned from whole examples", "Keep one of them")


@techniques.add
@dataclass(frozen=True, repr=False)
class OnlineLabelSmoothing(Regularizer):
    """Spread a label over the classes that the net itself found similar in the last epoch.

        (1 − share)·loss + share·CE(z, S[y]);  S[y] = mean softmax over last epoch's right answers of class y
        first epoch, and for a class that was never right: S = ε/(C − 1) beside the label and 1 − ε on it

    Two stages, because the matrix is fed by every pass and renewed after a whole epoch of updates.

    Stage: objective (target) and update.  Cost: one log-softmax and C² numbers.
    Strengths: share in [0, 1], neutral 0, linear, stronger = up.
    Shapes: outputs (b, …, c) logits, (b, k, c) with members; targets class numbers or probabilities (b, c).
    Use when: classes resemble each other in ways that matter.  Avoid when: there are two classes (it is label
    smoothing then).

    Args:
        share: weight of the learned targets.
        eps: ε of the starting matrix.
        every: steps from one renewal to the next; None: one epoch.
        axis: axis of the classes; None: 1 for outputs of four or more axes, else the last.

    Raises:
        SettingError: share, ε or every outside its range.
        RecipeError: steps per epoch are not known; the outputs are not logits; the batch is mixed.

    Example:
        >>> OnlineLabelSmoothing(every=100).to_dict()
        {'name': 'OnlineLabelSmoothing', 'share': 0.5, 'eps': 0.1, 'every': 100}

    References: Zhang et al. (2021), arXiv:2011.12562, section III-B, eq. 4 to 6.

    """

    share: float = 0.5
    eps: float = 0.1
    every: int | None = None
    axis: int | None = None

    strengths: ClassVar[dict[str, Strength]] = {
        "share": Strength(0.5, low=0.0, high=1.0, neutral=0.0, words="how much the learned targets count")
    }
    family: ClassVar[str] = "targets"
    rank: ClassVar[Rank] = Rank.TARGET
    effect: ClassVar[Effect] = {"share": ("confidence", "down")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("softens targets",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("softens targets", "refuse", "the targets would be softened twice", "Keep one of them"),
        _MIXES,
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "zhang2021ols", "Zhang et al.", 2021, "Delving deep into label smoothing", "IEEE TIP", "2011.12562",
            "section III-B",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.eps <= 0.5:
            raise SettingError(f"OnlineLabelSmoothing got eps={self.eps!r}", "it lies between 0 and 0.5", "Try 0.1")
        if self.every is not None and self.every < 1:
            raise SettingError(f"OnlineLabelSmoothing got every={self.every!r}", "it is 1 or more", "Leave it out")

    def check(self, context: Context, optimizer: Any) -> None:
        """Refuse a training whose epochs have no known end.

        Raises:
            RecipeError: neither ``every`` nor steps per epoch are known.

        """
        if not (self.every or context.steps_per_epoch):
            raise RecipeError(
                "OnlineLabelSmoothing renews its targets once an epoch, but steps per epoch are not known",
                "it needs them, or steps of its own",
                "Pass steps_per_epoch=len(loader) to attach, or OnlineLabelSmoothing(every=…)",
            )

    def plan(self, context: Context) -> int:
        """Return the steps from one renewal to the next."""
        return int(self.every or context.steps_per_epoch or 1)

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Return the count of steps: a number in solo, a tensor elsewhere. The matrix comes with the first outputs."""
        return {"step": 0 if params.owned else torch.zeros((), dtype=torch.int64, device=context.device)}

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Blend the loss with that of the learned targets, and note the right answers."""

        def smoothed(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("share"):
                return inner(params, buffers, batch, key)
            passed, alone = without_cross_entropy(inner, params, buffers, batch, key)
            seen: Batch = passed.batch or batch
            if isinstance(seen.targets, Mixed):
                raise RecipeError("OnlineLabelSmoothing got a mixed batch", _MIXES.why, _MIXES.remedy)
            logits = class_logits(passed.outputs, "OnlineLabelSmoothing", self.axis, batch=seen)
            labels = marked(seen.targets, seen.convention)
            matrix = memory.get("matrix")
            if matrix is None:
                matrix = uniform_matrix(logits.shape[-1], self.eps, logits)
            logs = log_softmax(logits)
            parts = soft_parts(logs, labels, matrix)
            if labels.dim() > 1 and seen.convention.by_member:
                parts = mean_of_kept(parts.mean(-1), labels)
            soft = mean(parts, seen)
            sums, counts = noted(logits.detach(), logs.detach().exp(), labels, memory.get("sums"), memory.get("counts"))
            passed = passed.remember(strengths.address, matrix=matrix, sums=sums, counts=counts)
            hard = label_loss(logs, batch) if alone else passed.loss
            return passed._replace(loss=between(hard, soft, strengths.number("share")))

        return smoothed

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Step; after a whole epoch renew the matrix."""
        every: int = memory.plan

        def step(params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
            params = inner(params, grads, rate)
            memory["step"] = memory["step"] + 1
            over = memory["step"] % every == 0
            if "sums" not in memory or over is False:
                return params
            old, sums, counts = memory["matrix"], memory["sums"], memory["counts"]
            over = torch.as_tensor(over, device=old.device)
            memory["matrix"] = torch.where(over, renewed(sums, counts, self.eps), old)
            memory["sums"] = torch.where(over, torch.zeros_like(sums), sums)
            memory["counts"] = torch.where(over, torch.zeros_like(counts), counts)
            return params

        return step


def uniform_matrix(classes: int, eps: float, like: Tensor) -> Tensor:
    """Return plain label smoothing as a matrix, (c, c): 1 − ε on the diagonal, ε/(c − 1) beside it."""
    eye = torch.eye(classes, dtype=like.dtype, device=like.device)
    return eye * (1 - eps) + (1 - eye) * (eps / (classes - 1))


def soft_parts(logs: Tensor, labels: Tensor, matrix: Tensor) -> Tensor:
    """Return (b, …, c), whose mean over the classes is the cross-entropy to the matrix' rows of the labels.

    It is 0 where a place is left out (−1).

    Raises:
        RecipeError: labels and outputs do not fit each other.
        IndexError: a label is no class, in the words of torch's losses.

    """
    matrix = matrix * -matrix.shape[-1]
    if labels.is_floating_point():
        return spread(labels @ matrix, logs.dim()) * logs
    if tuple(labels.shape) != tuple(logs.shape[: labels.dim()]):
        raise RecipeError(
            f"the labels have shape {tuple(labels.shape)} and the outputs {tuple(logs.shape)} (classes last)",
            "OnlineLabelSmoothing needs one label for each place of the outputs",
            "Give the model's answers the size of the labels, or leave OnlineLabelSmoothing out",
        )
    try:
        rows = functional.embedding(labels.clamp_min(0), matrix) * (labels >= 0).unsqueeze(-1)
    except IndexError as fault:
        raise IndexError(f"Target {int(labels.max())} is out of bounds.") from fault
    rows = rows.reshape(*labels.shape, *[1] * (logs.dim() - rows.dim()), rows.shape[-1])
    return rows * logs


def noted(
    logits: Tensor, shares: Tensor, labels: Tensor, sums: Tensor | None, counts: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Return the sums of the probabilities of right answers by class, (c, c), and their counts, (c,)."""
    classes = logits.shape[-1]
    if labels.is_floating_point():
        labels = labels.argmax(-1)
    places = labels.reshape(*labels.shape, *[1] * (logits.dim() - 1 - labels.dim())).expand(logits.shape[:-1])
    right = (logits.argmax(-1) == places).to(shares.dtype).reshape(-1)
    where = places.clamp_min(0).reshape(-1)
    sums = shares.new_zeros((classes, classes)) if sums is None else sums
    counts = shares.new_zeros((classes,)) if counts is None else counts
    kept = shares.reshape(-1, classes) * right.unsqueeze(-1)
    return sums.index_add(0, where, kept), counts.index_add(0, where, right)


def renewed(sums: Tensor, counts: Tensor, eps: float) -> Tensor:
    """Return the new matrix; a class that was never right falls back to plain smoothing.

    Shapes: sums (c, c), counts (c,) → (c, c).
    """
    some = counts.unsqueeze(-1)
    means = sums / some.clamp_min(1)
    return torch.where(some > 0, means, uniform_matrix(sums.shape[-1], eps, sums))
