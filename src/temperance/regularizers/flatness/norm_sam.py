"""Sharpness-aware minimization of the normalization layers only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Pass
from temperance.core.leaves import Leaves
from temperance.core.policy import reason_kept
from temperance.core.regularizer import Context, Effect, Gradient, Memory, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import RecipeError


@techniques.add
@dataclass(frozen=True, repr=False)
class NormSAM(Regularizer):
    """Do SAM uphill in the parameters of the normalization layers alone (SAM-ON).

        g = ∇L(w),  e = ρ·g_norm / ‖g_norm‖ on normalization parameters, 0 elsewhere,  step with ∇L(w + e)

    Layers are found by their type (BatchNorm, LayerNorm, GroupNorm, RMSNorm …), not by their name.

    Stage: gradient (ascend).  Cost: two passes a step; the copy holds under 1 % of the weights.
    Strengths: rho in [1e-3, 10], neutral 0, log, stronger = up (larger than SAM's: few parameters share it).
    Shapes: any.
    Use when: the net has normalization layers and SAM would help.  Avoid when: it has none (refused); time is short.

    Args:
        rho: radius ρ in the norm of the normalization parameters.

    Raises:
        SettingError: ρ outside its range.
        RecipeError: the model has no normalization layer with parameters.

    Example:
        >>> NormSAM(1.0).to_dict()
        {'name': 'NormSAM', 'rho': 1.0}

    References: Mueller et al. (2023), arXiv:2306.04226, section 3.

    """

    rho: float = 0.5

    strengths: ClassVar[dict[str, Strength]] = {
        "rho": Strength(
            0.5, low=1e-3, high=10.0, neutral=0.0, scale="log", words="how far uphill the gradient is taken"
        )
    }
    family: ClassVar[str] = "flatness"
    rank: ClassVar[Rank] = Rank.ASCEND
    effect: ClassVar[Effect] = {"rho": ("departure", "up")}
    cost: ClassVar[Cost] = Cost(forwards=2, backwards=2)
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("ascends",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("ascends", "refuse", "two techniques would move the weights uphill", "Keep one of them"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "mueller2023", "Mueller et al.", 2023,
            "Normalization layers are all that sharpness-aware minimization needs", "NeurIPS", "2306.04226",
            "section 3",
        ),
    )  # fmt: skip

    def plan(self, context: Context) -> tuple[str, ...]:
        """Return the names of the normalization parameters."""
        return tuple(name for name, reason in reason_kept(context.model).items() if reason == "normalization")

    def check(self, context: Context, optimizer: Any) -> None:
        """Refuse a model in which there is nothing to move.

        Raises:
            RecipeError: there is no normalization layer with parameters.

        """
        if not self.plan(context):
            raise RecipeError(
                f"NormSAM finds no normalization layer with parameters in {type(context.model).__name__}",
                "it moves BatchNorm, LayerNorm, GroupNorm or RMSNorm parameters",
                "Use SAM for this model",
            )

    def gradient(self, inner: Gradient, strengths: Strengths, memory: Memory) -> Gradient:
        """Evaluate the gradient twice."""
        chosen = frozenset(memory.plan)

        def ascend(params: Leaves, buffers: Mapping[str, Tensor], batch: Any, key: Any) -> tuple[Leaves, Pass]:
            grads, first = inner(params, buffers, batch, key)
            names = tuple(name for name in grads.names if name in chosen)
            if strengths.is_off("rho") or not names:
                return grads, first
            part = grads.part(names)
            moved = params.part(names).add(part, strengths["rho"] / (part.norm() + 1e-16))
            del grads, part
            steep, _ = inner(Leaves.of({**params, **moved}), first.buffers, batch, key)
            return steep, first

        return ascend
