"""Calibration-aware adaptive focal loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Mixed, Pass, measure
from temperance.core.kit.classes import class_logits, per_label, require_plain_entropy
from temperance.core.leaves import Leaves
from temperance.core.objective import without_cross_entropy
from temperance.core.regularizer import Context, Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.errors import RecipeError, SettingError

BINS = 15
GAPS = tuple(f"calibration_gap_{i:02d}" for i in range(BINS))
EDGES = tuple(f"calibration_edge_{i:02d}" for i in range(1, BINS))
LOW, HIGH, SWITCH = -2.0, 20.0, 0.2
_MIXES = Rule("mixes", "refuse", "its bins are found by the probability of one label", "Use Focal with mixing")


@techniques.add
@dataclass(frozen=True, repr=False)
class AdaFocal(Regularizer):
    """Give each range of confidence its own focal exponent, moved by how wrong that confidence is on held-out rows.

        p in bin i:  γᵢ ≥ 0: (1 − p)^γᵢ · CE;  γᵢ < 0: (1 + p)^|γᵢ| · CE
        at every validation:  γᵢ ← clip(γᵢ·exp(±λ·(confidenceᵢ − accuracyᵢ)), −2, 20), + for γᵢ > 0
                              |γᵢ| < 0.2: switch to −0.2 or 0.2 on the other side

    Fifteen bins of equal count on the held-out rows (signal ``CalibrationBins``); γ is memory and begins at 1. The
    exponent used is power·γᵢ. Call ``session.validate`` once an epoch.

    Stage: objective (target).  Cost: one log-softmax, and one forward pass over the held-out rows at each validation.
    Strengths: power in [0, 4], neutral 0, linear, stronger = up.
    Shapes: outputs (b, …, c) logits, (b, k, c) with members; targets class numbers or probabilities (b, c).
    Use when: probabilities must be calibrated and held-out rows are at hand.  Avoid when: they are fewer than a few
    hundred: fifteen bins of them are noise.

    Args:
        power: factor on all exponents; 1 is the paper's.
        rate: λ, how fast exponents follow the gaps.
        start: γ at first.
        axis: axis of the classes; None: 1 for outputs of four or more axes, else the last.

    Raises:
        SettingError: power, λ or start outside its range.
        RecipeError: the outputs are not logits of two or more classes; the batch is mixed.

    Example:
        >>> AdaFocal(rate=0.5).to_dict()
        {'name': 'AdaFocal', 'power': 1.0, 'rate': 0.5, 'start': 1.0}

    References: Ghosh, Schaaf and Gormley (2022), arXiv:2211.11838, section 4, algorithm 1.

    """

    power: float = 1.0
    rate: float = 1.0
    start: float = 1.0
    axis: int | None = None

    strengths: ClassVar[dict[str, Strength]] = {
        "power": Strength(
            1.0, low=0.0, high=4.0, neutral=0.0, adaptive=False, words="factor on the exponents that it finds itself"
        )
    }
    family: ClassVar[str] = "targets"
    rank: ClassVar[Rank] = Rank.TARGET
    effect: ClassVar[Effect] = {"power": ("confidence", "down")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("replaces the loss",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("replaces the loss", "refuse", "each would replace the loss", "Keep one of them"),
        Rule("softens targets", "refuse", "it is not clear which loss is softened", "Keep one of them"),
        _MIXES,
    )
    reads: ClassVar[frozenset[str]] = frozenset((*GAPS, *EDGES))
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "ghosh2022", "Ghosh, Schaaf, Gormley", 2022, "AdaFocal: calibration-aware adaptive focal loss", "NeurIPS",
            "2211.11838", "section 4",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, low, high in (("rate", 0.0, 10.0), ("start", LOW, HIGH)):
            if not low <= getattr(self, name) <= high:
                raise SettingError(
                    f"AdaFocal got {name}={getattr(self, name)!r}", f"it lies between {low:g} and {high:g}", "Try 1"
                )

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Return the exponents and the bounds between the bins: equally wide before the first validation."""
        like = params.tensors[0].detach().real
        edges = torch.arange(1, BINS, dtype=like.dtype, device=like.device) / BINS
        return {"gammas": like.new_full((BINS,), self.start), "edges": edges}

    def hear(self, signals: Mapping[str, Any], memory: Mapping[str, Any]) -> dict[str, Any]:
        """Move the exponents by the gaps, and the bounds to the new bins; hold both where a number is missing."""
        gaps = np.stack([np.asarray(signals.get(name, np.nan), dtype=np.float64) for name in GAPS], -1)
        edges = np.stack([np.asarray(signals.get(name, np.nan), dtype=np.float64) for name in EDGES], -1)
        if not (np.isfinite(gaps).all() and np.isfinite(edges).all()):
            return {}
        old = memory["gammas"]
        return {
            "gammas": next_gammas(old, torch.as_tensor(gaps, dtype=old.dtype, device=old.device), rate=self.rate),
            "edges": torch.as_tensor(edges, dtype=old.dtype, device=old.device).expand_as(memory["edges"]).clone(),
        }

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Weigh the cross-entropy by the exponent of each example's bin."""

        def focused(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("power"):
                return inner(params, buffers, batch, key)
            passed, alone = without_cross_entropy(inner, params, buffers, batch, key)
            seen: Batch = passed.batch or batch
            if isinstance(seen.targets, Mixed):
                raise RecipeError("AdaFocal got a mixed batch", _MIXES.why, _MIXES.remedy)

            if not alone:
                require_plain_entropy(seen, "AdaFocal")

            def weighed(outputs: Any, labels: Tensor) -> Tensor:
                members = seen.convention.by_member
                logits = class_logits(outputs, "AdaFocal", self.axis, batch=seen)
                power, gammas = strengths.number("power"), memory["gammas"]
                gammas = (power.to(gammas.dtype) if isinstance(power, Tensor) else power) * gammas
                edges = memory["edges"]
                return per_label(
                    logits, labels, lambda ce: _weighed(ce, gammas, edges, alone), "AdaFocal", by_member=members
                )

            value = measure(weighed, passed.outputs, seen, is_own=True)
            return passed._replace(loss=value if alone else passed.loss - value)

        return focused


def next_gammas(
    gammas: Tensor, gaps: Tensor, *, rate: float = 1.0, low: float = LOW, high: float = HIGH, switch: float = SWITCH
) -> Tensor:
    """Return the exponents after one validation.

    Args:
        gammas: exponents now, (…, bins).
        gaps: confidence − accuracy per bin on held-out rows, (…, bins).
        rate: λ.
        low: smallest exponent.
        high: largest exponent.
        switch: an exponent nearer to 0 than this changes sides.

    """
    moved = gammas * torch.exp(rate * torch.where(gammas > 0, gaps, -gaps))
    crossed = torch.copysign(torch.full_like(moved, switch), -moved)
    return torch.where(moved.abs() < switch, crossed, moved).clamp(low, high)


def _weighed(ce: Tensor, gammas: Tensor, edges: Tensor, alone: bool) -> Tensor:
    """Return the adaptive focal loss, or its lead over the cross-entropy; a bin's lower bound belongs to it."""
    p = torch.exp(-ce)
    gammas = gammas.to(p.dtype)
    where = torch.searchsorted(edges.to(p.dtype), p.detach(), right=True)
    side = torch.copysign(torch.full_like(gammas, 1 - torch.finfo(p.dtype).eps), gammas)  # 0 has no slope in a power
    moved = side.index_select(0, where.flatten()).view_as(p) * p
    power = torch.rsub(moved, 1) ** gammas.abs().index_select(0, where.flatten()).view_as(p)
    return (power if alone else torch.rsub(power, 1)) * ce
