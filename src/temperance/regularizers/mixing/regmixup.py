"""RegMixup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import Tensor, nn

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass, first_leaf
from temperance.core.kit.mixing import blended, paired
from temperance.core.leaves import Leaves
from temperance.core.random import beta, fold, permutation
from temperance.core.regularizer import Context, Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.core.statistics import tracking, unchanged
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class RegMixUp(Regularizer):
    """Add the loss of strongly blended examples to the loss of the clean ones.

        λ ~ Beta(α, α), α large, so λ is near 1/2;  loss = l(x, y) + η·(λ·l(x', y) + (1 − λ)·l(x', y_partner))

    ``mode="official"`` divides by 1 + η: the authors' code takes the mean over clean and blended examples together, at
    η = 1 half the sum. So a learning rate found with their code is twice as large here in mode ``sum``. Of tokens the
    vectors are blended, as in ``MixUp``.

    Stage: objective (mix).  Cost: two forward passes, one backward pass through both.  Strengths: weight in [0, 4],
    neutral 0, linear, stronger = up.
    Shapes: inputs (b, …) → same; targets → ``Mixed`` for the second pass.
    Use when: calibration and shifted data matter more than time; labels are noisy.  Avoid when: the step is at its
    time limit; blends of inputs mean nothing.

    Args:
        weight: weight η of the blended examples.
        alpha: α of the Beta distribution.
        mode: ``sum`` as in the paper's equation, or ``official`` as in its code.

    Raises:
        SettingError: a setting outside its range.
        RecipeError: another technique mixed the batch already.

    Example:
        >>> RegMixUp(mode="official").to_dict()
        {'name': 'RegMixUp', 'weight': 1.0, 'alpha': 20.0, 'mode': 'official'}

    References: Pinto et al. (2022), arXiv:2206.14502, section 3, eq. 3.

    """

    weight: float = 1.0
    alpha: float = 20.0
    mode: Literal["sum", "official"] = "sum"

    strengths: ClassVar[dict[str, Strength]] = {
        "weight": Strength(1.0, low=0.0, high=4.0, neutral=0.0, words="weight of the blended examples in the loss")
    }
    family: ClassVar[str] = "mixing"
    rank: ClassVar[Rank] = Rank.MIX
    cost: ClassVar[Cost] = Cost(forwards=2.0)
    effect: ClassVar[Effect] = {"weight": ("confidence", "down")}
    unique: ClassVar[bool] = True
    moves_inputs: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("mixes", "runs twice")
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("mixes", "refuse", "a batch can be mixed once", "Keep one of them"),
        Rule("softens targets", "warn", "both take certainty from the targets", "Use less of each"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "pinto2022", "Pinto et al.", 2022, "RegMixup: mixup as a regularizer can surprisingly improve accuracy",
            "NeurIPS", "2206.14502", "section 3",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.alpha <= 100 or self.mode not in ("sum", "official"):
            raise SettingError(
                f"RegMixUp got alpha={self.alpha!r}, mode={self.mode!r}",
                "alpha lies above 0 and up to 100, mode is 'sum' or 'official'",
                "20 and 'sum' are the defaults",
            )

    def plan(self, context: Context) -> tuple[nn.Module, ...]:
        """Return the layers whose running statistics the second pass must not move."""
        return tracking(context.model)

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Run the clean batch, then the blended one."""
        address = strengths.address

        def both(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            clean = inner(params, buffers, batch, key)
            if strengths.is_off("weight"):
                return clean
            with unchanged(memory.plan):
                mixed = inner(params, buffers, mix(batch, self.alpha, fold(key, address)), key)
            weight = strengths["weight"].to(clean.loss.dtype)
            if self.mode == "official":
                return clean._replace(loss=clean.loss + weight / (1 + weight) * (mixed.loss - clean.loss))
            return clean._replace(loss=clean.loss + weight * mixed.loss)

        return both


def mix(batch: Batch, alpha: float, key: Any) -> Batch:
    """Return the blended batch; the noise is that of ``key``."""
    leaf = first_leaf(batch.inputs)
    share = beta(fold(key, "share"), alpha, leaf.device)
    partner = permutation(fold(key, "partner"), leaf.shape[0], leaf.device)
    return paired(batch, blended(batch, partner, share, key, "RegMixUp"), partner, share)
