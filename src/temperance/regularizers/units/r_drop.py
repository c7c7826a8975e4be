"""R-Drop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass, mean
from temperance.core.kit.classes import UNTOLD, class_axis
from temperance.core.kit.sites import change_output, units
from temperance.core.leaves import Leaves
from temperance.core.random import site_mask
from temperance.core.regularizer import (
    Context,
    Effect,
    Memory,
    Objective,
    Rank,
    Regularizer,
    Strengths,
    Undo,
    techniques,
)
from temperance.core.rules import Rule
from temperance.core.statistics import tracking, unchanged
from temperance.core.traces import hold, together
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class RDrop(Regularizer):
    """Run each batch twice under different dropout masks and ask for the same answer.

        loss = (l₁ + l₂)/2 + α · mean over examples of (KL(q₁‖q₂) + KL(q₂‖q₁))/2,  q = softmax(outputs)

    The mean over examples (not the sum of the authors' code) keeps α independent of the batch size. It brings its own
    dropout at rate ``p`` in the places where ``Dropout`` would act; with ``p=0`` only the noise of other ingredients
    (``Dropout``, ``StochasticDepth``) tells the two passes apart, and without any the penalty is 0. Augmentation and
    mixing are the same in both passes.

    Stage: layers and objective (penalty).  Cost: two forward passes, one backward pass through both.  Strengths: alpha
    in [0, 10], neutral 0 (one pass, no dropout of its own), linear, stronger = up.
    Shapes: outputs (b, …, c) logits, classes on the last axis (axis 1 for four or more axes).
    Use when: fine-tuning, translation, small data with dropout.  Avoid when: regression; the step is at its time limit.

    Args:
        alpha: weight α of the disagreement.
        p: rate of its own dropout; 0 for none.
        at: shell pattern of module names whose outputs are dropped.

    Raises:
        SettingError: α or p outside its range.
        RecipeError: the outputs are no logits of two or more classes, or no place for dropout is found.

    Example:
        >>> RDrop(0.5, p=0.2).to_dict()
        {'name': 'RDrop', 'alpha': 0.5, 'p': 0.2}

    References: Liang et al. (2021), arXiv:2106.14448, section 2, eq. 4.

    """

    alpha: float = 1.0
    p: float = 0.1
    at: str | None = None

    strengths: ClassVar[dict[str, Strength]] = {
        "alpha": Strength(1.0, low=0.0, high=10.0, neutral=0.0, words="how much two answers must agree")
    }
    family: ClassVar[str] = "units"
    rank: ClassVar[Rank] = Rank.PENALTY
    draws: ClassVar[bool] = True
    cost: ClassVar[Cost] = Cost(forwards=2.0)
    effect: ClassVar[Effect] = {"alpha": ("departure", "up")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("runs twice",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("Dropout", "warn", "R-Drop brings dropout of its own", "Give RDrop(p=0) to use only the other one"),
        Rule("noise on units", "warn", "R-Drop brings dropout of its own", "Give RDrop(p=0) to use only the other one"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "liang2021", "Liang et al.", 2021, "R-Drop: regularized dropout for neural networks", "NeurIPS",
            "2106.14448", "section 2",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.p <= 0.95:
            raise SettingError(f"RDrop got p={self.p!r}", "p lies between 0 and 0.95", "0.1 is the default")

    def rewire(self, model: nn.Module, strengths: Strengths) -> Undo | None:
        """Put its own dropout in, silent while α = 0."""
        if self.p == 0:
            return None
        places, undo = units(model, self.at, "RDrop", strengths, "alpha", _Rate(self.p))
        undos = [undo]
        for i, place in enumerate(places):
            undos.append(hold(place, "_temperance_r_drop_alpha", strengths["alpha"]))
            undos.append(change_output(place, _Drop(f"{strengths.address}/{i}", self.p)))
        return together(undos)

    def plan(self, context: Context) -> tuple[nn.Module, ...]:
        """Return the layers whose running statistics the second pass must not move."""
        return tracking(context.model)

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Run the batch twice; each site of noise counts its calls, so the second pass draws other masks."""
        address = strengths.address

        def twice(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            first = inner(params, buffers, batch, key)
            if strengths.is_off("alpha"):
                return first
            with unchanged(memory.plan):
                second = inner(params, buffers, batch, key)
            seen: Batch = first.batch or batch
            apart = mean(disagreement(first.outputs, second.outputs, seen), seen)
            alpha = strengths["alpha"].to(apart.dtype)
            extra = (second.loss - first.loss) / 2 + alpha * apart
            loss = first.loss + torch.where(alpha > 0, extra, torch.zeros_like(extra))
            return first._replace(loss=loss, notes={**first.notes, f"{address}.disagreement": apart.detach()})

        return twice


@dataclass(frozen=True)
class _Drop:
    site: str
    p: float

    def __call__(self, owner: nn.Module, out: Tensor) -> Tensor:
        written = getattr(owner, "written", None)
        if written is not None:
            return out * site_mask(self.site, out, 1 - written)
        alpha: Tensor = owner._temperance_r_drop_alpha  # type: ignore[assignment]
        return out * site_mask(self.site, out, torch.where(alpha > 0, 1 - self.p, 1.0))


@dataclass(frozen=True)
class _Rate:
    """The rate of its own dropout at a value of α: none where α = 0."""

    p: float

    def __call__(self, alpha: float) -> float:
        return self.p if alpha > 0 else 0.0


def disagreement(first: Any, second: Any, batch: Batch = UNTOLD) -> Tensor:
    """Return (KL(q₁‖q₂) + KL(q₂‖q₁))/2 per example, (b, …) without the class axis.

    Raises:
        RecipeError: the outputs are not logits of two or more classes.

    """
    axis = class_axis(first, "RDrop", batch=batch)
    one, two = torch.log_softmax(first, axis), torch.log_softmax(second, axis)
    # KL(q₁‖q₂) + KL(q₂‖q₁) = Σ (q₁ − q₂)(log q₁ − log q₂)
    return ((one.exp() - two.exp()) * (one - two)).sum(axis) / 2
