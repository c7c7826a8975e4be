"""Stable weight decay."""

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
class StableDecay(Regularizer):
    """Decay the weights in step with the optimizer's real pace, which small gradients raise.

        v ← β·v + (1 − β)·mean(g²),  v̄ = v/(1 − βᵗ)
        w ← (1 − min(η·λ/√v̄, 0.1))·w,  then the optimizer's step

    v̄ is the mean of Adam's corrected second moment over all parameters. It is kept here from the gradient itself, so
    it serves any optimizer. Without the limit of 0.1 a gradient of 1e-7 at the first step multiplies the weights by −4.

    Stage: update (before the optimizer).  Cost: one pass over the gradient.
    Strengths: rate λ in [1e-6, 1], neutral 0, log, stronger = up; values as for SGD.
    Shapes: any; biases, norms and embeddings are left alone, but count in v̄.
    Use when: Adam, with a decay that was tuned for SGD.  Avoid when: gradients are zero for long stretches.

    Args:
        rate: coefficient λ.
        beta: how long the second moment remembers.

    Raises:
        SettingError: λ or β outside its range.
        RecipeError: the optimizer decays too, or there is no weight matrix.

    Example:
        >>> StableDecay(1e-3)
        StableDecay(rate=0.001)

    References: Xie et al. (2023), arXiv:2011.11152, algorithm 3.

    """

    rate: float = 5e-4
    beta: float = 0.999

    strengths: ClassVar[dict[str, Strength]] = {
        "rate": Strength(5e-4, low=1e-6, high=1.0, neutral=0.0, scale="log", words="how fast unused weights fade")
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
            "xie2023",
            "Xie et al.",
            2023,
            "On the overlooked pitfalls of weight decay and how to mitigate them",
            "NeurIPS",
            "2011.11152",
        ),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.beta < 1:
            raise SettingError(f"StableDecay got beta={self.beta!r}", "it lies in [0, 1)", "Give Adam's second β")

    def check(self, context: Context, optimizer: Any) -> None:
        """Refuse a second decay, and a model without anything to decay."""
        no_torch_optimizer_decay(optimizer)
        require_matrices(context.model, "StableDecay")

    def plan(self, context: Context) -> tuple[str, ...]:
        """Return the names of the weights that are decayed."""
        return require_matrices(context.model, "StableDecay")

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Start with no moment and no step."""
        zero = torch.zeros((), dtype=exact(context.device), device=context.device)
        return {"moment": zero, "step": zero.clone()}

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Measure the pace, decay, then step."""
        planned: tuple[str, ...] = memory.plan

        def step(params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
            decayed = present(grads, planned)
            with torch.no_grad():
                count = max(1, sum(g.numel() * (2 if g.is_complex() else 1) for g in grads.tensors))
                square = grads.norm().to(memory["moment"].dtype) ** 2 / count
                memory["step"] = memory["step"] + 1
                memory["moment"] = self.beta * memory["moment"] + (1 - self.beta) * square
                if decayed and not strengths.is_off("rate"):
                    root = torch.sqrt(memory["moment"] / (1 - self.beta ** memory["step"])).clamp_min(1e-30)
                    pace = strengths["rate"] / root
                    params = shrunk(params, rate, decayed, pace)
            return inner(params, grads, rate)

        return step
