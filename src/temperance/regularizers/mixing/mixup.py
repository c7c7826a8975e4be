"""Mixup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass, first_leaf
from temperance.core.kit.mixing import blended, paired
from temperance.core.leaves import Leaves
from temperance.core.random import beta, fold, permutation
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation


@techniques.add
@dataclass(frozen=True, repr=False)
class MixUp(Regularizer):
    """Train on blends of two examples and of their answers.

        λ ~ Beta(α, α);  x' = λ·x + (1 − λ)·x_partner;  loss = λ·l(y) + (1 − λ)·l(y_partner)

    Numeric inputs (floating leaves) are blended; of categories (integer leaves) one of the two is chosen with
    probability λ, codes are never averaged; the choice is the same in all integer leaves, and a warning tells where
    there are no others. One forward pass. Works for regression and for several heads too.

    Tokens are never mixed, their vectors are: where the inputs are whole numbers alone that the input embedding gets,
    its outputs are blended (word mixup). Padding counts as a vector of 0, and the mask becomes that of both rows: a
    place that is padding in one row holds λ times the other's vector. A model that finds the end of a row from its ids
    sees that of the row itself. Encoder-decoder models are refused.

    Stage: objective (mix).  Cost: one blend of the batch, a second loss.  Strengths: alpha in [1e-3, 32], neutral 0
    (λ = 1), log, stronger = up.
    Shapes: inputs (b, …) → same; targets → ``Mixed`` with share ().
    Use when: few data, noisy labels, calibration matters.  Avoid when: the net is small or under-fits; blends of inputs
    mean nothing.

    Args:
        alpha: α of the Beta distribution.

    Raises:
        SettingError: α outside its range.
        RecipeError: another technique mixed the batch already.

    References: Zhang et al. (2018), arXiv:1710.09412, eq. 1; on tables: Kadra et al. (2021), arXiv:2106.11189; on word
    vectors: Guo, Mao and Zhang (2019), arXiv:1905.08941, section 3.1.

    """

    alpha: float = 0.2

    strengths: ClassVar[dict[str, Strength]] = {
        "alpha": Strength(
            0.2, low=1e-3, high=32.0, neutral=0.0, scale="log", words="how evenly two examples are blended"
        )
    }
    family: ClassVar[str] = "mixing"
    rank: ClassVar[Rank] = Rank.MIX
    effect: ClassVar[Effect] = {"alpha": ("confidence", "down")}
    unique: ClassVar[bool] = True
    moves_inputs: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("mixes",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("mixes", "refuse", "a batch can be mixed once", "Keep one of them"),
        Rule("softens targets", "warn", "both take certainty from the targets", "Use less of each"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation("zhang2018", "Zhang et al.", 2018, "mixup: beyond empirical risk minimization", "ICLR", "1710.09412"),
    )

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Mix the batch, then go on."""
        address = strengths.address

        def mixed(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("alpha"):
                return inner(params, buffers, batch, key)
            alpha, own = strengths.number("alpha"), fold(key, address)
            return inner(params, buffers, mix(batch, alpha, own, strength=f"{address}.alpha"), key)

        return mixed


def mix(batch: Batch, alpha: Tensor | float, key: Any, *, strength: str = "mixup.alpha") -> Batch:
    """Return the mixed batch; the noise is that of ``key``.

    Shapes: alpha ().

    Raises:
        RecipeError: the batch is mixed already.

    """
    leaf = first_leaf(batch.inputs)
    share = beta(fold(key, "share"), alpha, leaf.device, strength=strength)
    partner = permutation(fold(key, "partner"), leaf.shape[0], leaf.device)
    return paired(batch, blended(batch, partner, share, key, "MixUp"), partner, share)
