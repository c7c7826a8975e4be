"""Corrected weight decay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.devices import exact
from temperance.core.kit.weights import places_of, present, rates, require_matrices
from temperance.core.leaves import Leaves
from temperance.core.optimizers import no_torch_optimizer_decay
from temperance.core.regularizer import Context, Effect, Memory, Rank, Rate, Regularizer, Strengths, Update, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.errors import SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class CorrectedDecay(Regularizer):
    """Let the decay fall with the square of the learning rate, so that gradients do not grow at the end.

        w ← (1 − λ·η²/η_max)·w for hidden layers,  w ← (1 − λ·η)·w for the output layer,  then the optimizer's step

    At a constant rate this is plain decoupled decay. η_max is the largest rate known when the recipe is attached, or
    seen since; where parameter groups have rates of their own, the largest one seen for each weight.

    Stage: update (before the optimizer).  Cost: free.
    Strengths: rate λ in [1e-6, 5], neutral 0, log, stronger = up.
    Shapes: any; biases, norms and embeddings are left alone.
    Use when: nets with normalization layers and a learning rate that falls to zero.
    Avoid when: layers are not normalized (then keep ``WeightDecay``).

    Args:
        rate: coefficient λ per unit of learning rate.
        layers: ``hidden`` (all matrices but the last) or ``all``.

    Raises:
        SettingError: λ outside its range, or other ``layers``.
        RecipeError: the optimizer decays too, or there is no weight matrix.

    Example:
        >>> CorrectedDecay(0.1, layers="all")
        CorrectedDecay(rate=0.1, layers='all')

    References: Defazio (2025), arXiv:2506.02285, algorithm 1; its explanation is disputed
    (Chou 2025, "Correction of decoupled weight decay").

    """

    rate: float = 1e-2
    layers: str = "hidden"

    strengths: ClassVar[dict[str, Strength]] = {
        "rate": Strength(
            1e-2,
            low=1e-6,
            high=5.0,
            neutral=0.0,
            scale="log",
            unit="per learning rate",
            words="how fast unused weights fade",
        )
    }
    family: ClassVar[str] = "weights"
    rank: ClassVar[Rank] = Rank.DECAY
    effect: ClassVar[Effect] = {"rate": ("weight_size", "down")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("decays",)
    rules: ClassVar[tuple[Rule, ...]] = (Rule("decays", "refuse", "two decays would add up", "Keep one of them"),)
    by_weight: ClassVar[frozenset[str]] = frozenset({"peak"})
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "defazio2025",
            "Defazio",
            2025,
            "Why gradients rapidly increase near the end of training",
            "arXiv",
            "2506.02285",
        ),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layers not in ("hidden", "all"):
            raise SettingError(f"CorrectedDecay got layers={self.layers!r}", "it is 'hidden' or 'all'", "Pick one")

    def check(self, context: Context, optimizer: Any) -> None:
        """Refuse a second decay, and a model without anything to decay."""
        no_torch_optimizer_decay(optimizer)
        require_matrices(context.model, "CorrectedDecay")

    def plan(self, context: Context) -> tuple[tuple[str, ...], int, float]:
        """Return the decayed weights, how many of them (the first ones) are corrected, and the largest known rate."""
        names = require_matrices(context.model, "CorrectedDecay")
        return names, len(names) - (self.layers == "hidden"), context.lr

    def weights(self, plan: Any) -> tuple[str, ...]:
        """Return the weights of the plan."""
        names: tuple[str, ...] = plan[0]
        return names

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Start with no rate seen."""
        names = require_matrices(context.model, "CorrectedDecay")
        return {"peak": torch.zeros(len(names), dtype=exact(context.device), device=context.device)}

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Decay, then step."""
        planned, corrected, known = memory.plan
        peaks = _Peaks()

        def step(params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
            with torch.no_grad():
                eta, decayed = rates(params, rate, planned), present(grads, planned)
                least = 0.0 if isinstance(rate, list) else known
                if params.owned:
                    lam, peak = strengths.number("rate"), peaks.raised(memory, [max(e, least) for e in eta])
                    shares = [e / p if p > 0 else 1.0 for e, p in zip(eta, peak, strict=True)]
                    shares[corrected:] = [1.0] * (len(eta) - corrected)
                    factors: list[Any] = [1.0 - lam * e * s for e, s in zip(eta, shares, strict=True)]
                else:
                    factors = self._factors(eta, least, corrected, strengths, memory)
                if decayed and not strengths.is_off("rate"):
                    if len(decayed) < len(planned):
                        factors = [factors[i] for i in places_of(decayed, planned)]
                    params = params.mul_(factors, only=decayed)
            return inner(params, grads, rate)

        return step

    def _factors(
        self, eta: list[Any], least: float, corrected: int, strengths: Strengths, memory: Memory
    ) -> list[Tensor]:
        peak = memory["peak"]
        now = torch.as_tensor(eta, dtype=peak.dtype, device=peak.device)
        memory["peak"] = peak = torch.maximum(peak, now.clamp_min(least))
        share = torch.where(peak > 0, now / peak.clamp_min(1e-30), torch.ones_like(now))
        share[corrected:] = 1.0
        return list((1.0 - strengths["rate"] * now * share).unbind())


class _Peaks:
    """The largest rates as numbers beside ``memory["peak"]``, which is written only where one rises."""

    def __init__(self) -> None:
        self.tensor: Tensor | None = None
        self.values: list[float] = []

    def raised(self, memory: Memory, floor: list[float]) -> list[float]:
        if memory["peak"] is not self.tensor:  # at the start, or where a checkpoint was loaded
            self.tensor, self.values = memory["peak"], memory["peak"].tolist()
        if any(f > v for f, v in zip(floor, self.values, strict=True)):
            self.values = [max(f, v) for f, v in zip(floor, self.values, strict=True)]
            self.tensor = memory["peak"] = memory["peak"].new_tensor(self.values)
        return self.values
