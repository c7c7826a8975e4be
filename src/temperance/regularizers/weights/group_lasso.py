"""Group lasso."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.kit.weights import present, rates, require_matrices
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Context, Effect, Memory, Rank, Rate, Regularizer, Strengths, Update, techniques
from temperance.records.citation import Citation
from temperance.records.errors import SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class GroupLasso(Regularizer):
    """Shrink whole rows or columns of the weights, and set small ones to exactly zero.

        penalty λ·Σ_G √p_G·‖w_G‖, taken as a proximal step after the optimizer's:
        w_G ← w_G·max(0, 1 − η·λ·√p_G/‖w_G‖);  p_G: count of weights in the group

    As a plain gradient this penalty never reaches zero; the proximal step does, with any optimizer.

    Stage: update (project, after the optimizer).  Cost: one norm per group.
    Strengths: rate λ in [1e-6, 10], neutral 0, log, stronger = up.
    Shapes: (o, i, …); groups are inputs i (column, channel) or outputs o (unit, filter).
    Use when: whole inputs or units shall drop out of the net.  Avoid when: every input counts.

    Args:
        rate: coefficient λ per unit of learning rate.
        groups: ``inputs`` or ``outputs``.

    Raises:
        SettingError: λ outside its range, or other groups.
        RecipeError: there is no weight matrix.

    Example:
        >>> GroupLasso(0.01, groups="outputs")
        GroupLasso(groups='outputs')

    References: Yuan and Lin (2006), Journal of the Royal Statistical Society B 68(1), eq. 2.1; for nets: Wen et al.
    (2016), arXiv:1608.03665, section 3; proximal step: Parikh and Boyd (2014), section 6.5.1.

    """

    rate: float = 1e-2
    groups: str = "inputs"

    strengths: ClassVar[dict[str, Strength]] = {
        "rate": Strength(
            1e-2,
            low=1e-6,
            high=10.0,
            neutral=0.0,
            scale="log",
            unit="per learning rate",
            words="how readily a whole input or unit is switched off",
        )
    }
    family: ClassVar[str] = "weights"
    rank: ClassVar[Rank] = Rank.PROJECT
    effect: ClassVar[Effect] = {"rate": ("weight_size", "down")}
    unique: ClassVar[bool] = True
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "yuan2006",
            "Yuan, Lin",
            2006,
            "Model selection and estimation in regression with grouped variables",
            "JRSS B 68(1)",
        ),
        Citation(
            "wen2016", "Wen et al.", 2016, "Learning structured sparsity in deep neural networks", "NIPS", "1608.03665"
        ),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.groups not in ("inputs", "outputs"):
            raise SettingError(f"GroupLasso got groups={self.groups!r}", "it is 'inputs' or 'outputs'", "Pick one")

    def check(self, context: Context, optimizer: Any) -> None:
        """Refuse a model without any matrix."""
        require_matrices(context.model, "GroupLasso")

    def plan(self, context: Context) -> tuple[str, ...]:
        """Return the names of the grouped weights."""
        return require_matrices(context.model, "GroupLasso")

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Step, then shrink the groups."""
        planned: tuple[str, ...] = memory.plan
        axis = 1 if self.groups == "inputs" else 0

        def step(params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
            params, names = inner(params, grads, rate), present(grads, planned)
            if not names or strengths.is_off("rate"):
                return params
            cuts = [eta * strengths["rate"] for eta in rates(params, rate, names)]
            with torch.no_grad():
                part = params.part(names).tensors
                return params.mul_([kept(w, cut, axis) for w, cut in zip(part, cuts, strict=True)], only=names)

        return step


def kept(w: Tensor, cut: Any, axis: int) -> Tensor:
    """Return max(0, 1 − cut·√p/‖w_G‖) for the groups along ``axis``; shapes (o, i, …) → (1, i, 1 …) or (o, 1, …)."""
    others = [a for a in range(w.dim()) if a != axis]
    norm: Tensor = torch.linalg.vector_norm(w, dim=others, keepdim=True)
    root = (w.numel() / max(w.shape[axis], 1)) ** 0.5
    share: Tensor = (1.0 - cut * root / norm.clamp_min(1e-30)).clamp_min(0.0)
    return share
