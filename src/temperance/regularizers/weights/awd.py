"""Adaptive weight decay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from temperance.control.strength import Strength
from temperance.core.devices import exact
from temperance.core.kit.weights import present, require_matrices, shrunk
from temperance.core.leaves import Leaves
from temperance.core.optimizers import no_torch_optimizer_decay
from temperance.core.regularizer import Context, Effect, Memory, Rank, Rate, Regularizer, Strengths, Update, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.errors import SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class AWD(Regularizer):
    """Decay the weights in proportion to how large the gradient is beside them.

        r ← s·r + (1 − s)·‖g‖/‖w‖,  w ← (1 − η·λ·r)·w,  then the optimizer's step

    Under plain SGD this is the published w ← w − η·(g + λ·r·w). One step takes at most a tenth of a weight.

    Stage: update (before the optimizer).  Cost: two norms.
    Strengths: rate λ in [1e-5, 1], neutral 0, log, stronger = up.
    Shapes: any; ‖·‖ is over all weight matrices together; biases, norms and embeddings are left alone.
    Use when: training on attacked inputs or noisy labels, or the scale of the loss is not known.
    Avoid when: large language models (reported worse than a fixed decay, arXiv:2506.14562); penalties in the loss,
    whose gradient would count as well.

    Args:
        rate: coefficient λ of the ratio.
        smoothing: share s of the old ratio that is kept.

    Raises:
        SettingError: λ or s outside its range.
        RecipeError: the optimizer decays too, or there is no weight matrix.

    Example:
        >>> AWD(0.05)
        AWD(rate=0.05)

    References: Ghiasi, Shafahi and Ardekani (2023), arXiv:2210.00094, algorithm 1.

    """

    rate: float = 0.02
    smoothing: float = 0.1

    strengths: ClassVar[dict[str, Strength]] = {
        "rate": Strength(
            0.02, low=1e-5, high=1.0, neutral=0.0, scale="log", words="how fast weights fade, measured by the gradient"
        )
    }
    family: ClassVar[str] = "weights"
    rank: ClassVar[Rank] = Rank.DECAY
    effect: ClassVar[Effect] = {"rate": ("weight_size", "down")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("decays",)
    rules: ClassVar[tuple[Rule, ...]] = (Rule("decays", "refuse", "two decays would add up", "Keep one of them"),)
    reads_gradients: ClassVar[bool] = True
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "ghiasi2023",
            "Ghiasi, Shafahi, Ardekani",
            2023,
            "Improving robustness with adaptive weight decay",
            "NeurIPS",
            "2210.00094",
        ),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.smoothing < 1:
            raise SettingError(f"AWD got smoothing={self.smoothing!r}", "it lies in [0, 1)", "0.1 is the published one")

    def check(self, context: Context, optimizer: Any) -> None:
        """Refuse a second decay, and a model without anything to decay."""
        no_torch_optimizer_decay(optimizer)
        require_matrices(context.model, "AWD")

    def plan(self, context: Context) -> tuple[str, ...]:
        """Return the names of the weights that are decayed."""
        return require_matrices(context.model, "AWD")

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Start with no ratio."""
        return {"ratio": torch.zeros((), dtype=exact(context.device), device=context.device)}

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Measure the ratio, decay, then step."""
        planned: tuple[str, ...] = memory.plan

        def step(params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
            decayed = present(grads, planned)
            if not decayed:
                return inner(params, grads, rate)
            with torch.no_grad():
                kind = memory["ratio"].dtype
                size = params.part(decayed).norm().to(kind).clamp_min(1e-12)
                slope = grads.part(decayed).norm().to(kind)
                memory["ratio"] = self.smoothing * memory["ratio"] + (1 - self.smoothing) * slope / size
                if not strengths.is_off("rate"):
                    lam = strengths["rate"] * memory["ratio"]
                    params = shrunk(params, rate, decayed, lam)
            return inner(params, grads, rate)

        return step
