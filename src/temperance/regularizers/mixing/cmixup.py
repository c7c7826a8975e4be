"""C-Mixup: mixup for regression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Mixed, Pass, first_leaf
from temperance.core.devices import exact
from temperance.core.kit.mixing import blended, paired
from temperance.core.leaves import Leaves
from temperance.core.random import beta, fold, permutation, uniform
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.errors import RecipeError, SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class CMixUp(Regularizer):
    """Blend each example of a regression with one whose target is near.

        P(partner j of i) ∝ exp(−‖yᵢ − yⱼ‖² / (2σ²));  λ ~ Beta(α, α)
        x' = λ·xᵢ + (1 − λ)·xⱼ;  loss = λ·l(yᵢ) + (1 − λ)·l(yⱼ)

    Partners are sought among the batch (at most ``candidates`` of its rows, drawn anew each time), not among all rows:
    the kernel over all N rows costs N². σ = ∞ gives the partners of mixup. For a squared loss the blend of the losses
    has the same gradient as the loss of the blended target. Of tokens the vectors are blended, as in ``MixUp``.

    Stage: objective (mix).  Cost: b × candidates distances, one blend, a second loss.  Strengths: alpha in [1e-3, 32],
    neutral 0 (λ = 1), log, stronger = up.
    Shapes: inputs (b, …) → same; targets (b,) or (b, c), floating → ``Mixed`` with share ().
    Use when: regression on tables or images.  Avoid when: classification (use MixUp); targets on several scales.

    Args:
        alpha: α of the Beta distribution.
        sigma: σ in units of the targets (the study standardizes them); ``inf`` for plain mixup.
        candidates: rows among which partners are sought.

    Raises:
        SettingError: a setting outside its range.
        RecipeError: targets are classes, or the batch is mixed already.

    Example:
        >>> CMixUp(sigma=0.5).to_dict()
        {'name': 'CMixUp', 'alpha': 2.0, 'sigma': 0.5, 'candidates': 512}

    References: Yao et al. (2022), arXiv:2210.05775, section 3, eq. 6.

    """

    alpha: float = 2.0
    sigma: float = 1.0
    candidates: int = 512

    strengths: ClassVar[dict[str, Strength]] = {
        "alpha": Strength(
            2.0, low=1e-3, high=32.0, neutral=0.0, scale="log", words="how evenly two near examples are blended"
        )
    }
    family: ClassVar[str] = "mixing"
    rank: ClassVar[Rank] = Rank.MIX
    effect: ClassVar[Effect] = {"alpha": ("departure", "up")}
    unique: ClassVar[bool] = True
    moves_inputs: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("mixes",)
    rules: ClassVar[tuple[Rule, ...]] = (Rule("mixes", "refuse", "a batch can be mixed once", "Keep one of them"),)
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "yao2022", "Yao et al.", 2022, "C-Mixup: improving generalization in regression", "NeurIPS", "2210.05775",
            "section 3",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.sigma > 0 or not isinstance(self.candidates, int) or self.candidates < 2:
            raise SettingError(
                f"CMixUp got sigma={self.sigma!r}, candidates={self.candidates!r}",
                "sigma is above 0 (inf allowed), candidates a whole number from 2",
                "1.0 and 512 are the defaults",
            )

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Mix the batch, then go on."""
        address = strengths.address

        def mixed(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("alpha"):
                return inner(params, buffers, batch, key)
            own, device = fold(key, address), first_leaf(batch.inputs).device
            share = beta(fold(own, "share"), strengths.number("alpha"), device, strength=f"{address}.alpha")
            partner = near(_checked(batch.targets), self.sigma, self.candidates, own)
            inputs = blended(batch, partner, share, own, "CMixUp")
            return inner(params, buffers, paired(batch, inputs, partner, share), key)

        return mixed


def near(targets: Tensor, sigma: float, candidates: int, key: Any) -> Tensor:
    """Return a partner for each row, int64 (b,), with probability ∝ exp(−‖yᵢ − yⱼ‖²/(2σ²)) among the candidates."""
    rows = targets.flatten(1) if targets.dim() > 1 else targets[:, None]
    pool = permutation(fold(key, "pool"), rows.shape[0], rows.device)[:candidates]
    distance = ((rows[:, None] - torch.index_select(rows, 0, pool)[None]) ** 2).sum(-1)
    chance = torch.softmax(-distance / (2 * sigma**2), 1).cumsum(1)
    drawn = uniform(fold(key, "partner"), (rows.shape[0],), rows.device, exact(rows.device))
    place = (chance < drawn[:, None] * chance[:, -1:]).sum(1).clamp(max=pool.shape[0] - 1)
    return torch.gather(pool, 0, place)


def _checked(targets: Any) -> Tensor:
    if isinstance(targets, Mixed):
        raise RecipeError("the batch is mixed already", "one mixing technique per recipe", "Keep one of them")
    if not isinstance(targets, Tensor) or not targets.is_floating_point():
        raise RecipeError(
            f"CMixUp got targets of type {getattr(targets, 'dtype', type(targets).__name__)}",
            "it looks for near targets, so it needs numbers (regression)",
            "Use MixUp for classes",
        )
    return targets  # type: ignore[no-any-return]
