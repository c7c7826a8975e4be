"""Weight norm control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from temperance.control.strength import Strength
from temperance.core.kit.weights import MOST, each_norm, places_of, present, rates, require_matrices
from temperance.core.leaves import Leaves
from temperance.core.optimizers import no_torch_optimizer_decay
from temperance.core.regularizer import Context, Effect, Memory, Rank, Rate, Regularizer, Strengths, Update, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class NormControl(Regularizer):
    """Pull the norm of each matrix towards a target instead of towards zero.

        w ← w·(1 − η·λ·(1 − r·‖w₀‖/‖w‖)),  then the optimizer's step

    With r = 0 this is plain decoupled decay. w₀ are the weights at attach. One step changes a norm by a tenth at most.
    The form of the pull is ours; it has the published special case.

    Stage: update (before the optimizer).  Cost: one norm per matrix.
    Strengths: rate λ in [1e-6, 5], neutral 0, log, stronger = up.
    Shapes: any; one norm per matrix; biases, norms and embeddings are left alone.
    Use when: a good starting scale shall be kept.  Avoid when: the starting scale is arbitrary.

    Args:
        rate: coefficient λ per unit of learning rate.
        target: r, the wanted norm as a multiple of the starting norm.

    Raises:
        SettingError: λ outside its range, or a negative target.
        RecipeError: the optimizer decays too, or there is no weight matrix.

    Example:
        >>> NormControl(0.1, target=2.0)
        NormControl(target=2.0)

    References: Loshchilov (2023), arXiv:2311.11446, section 3.

    """

    rate: float = 1e-1
    target: float = 1.0

    strengths: ClassVar[dict[str, Strength]] = {
        "rate": Strength(
            1e-1,
            low=1e-6,
            high=5.0,
            neutral=0.0,
            scale="log",
            unit="per learning rate",
            words="how hard the size of the weights is pulled to its target",
        )
    }
    family: ClassVar[str] = "weights"
    rank: ClassVar[Rank] = Rank.DECAY
    effect: ClassVar[Effect] = {"rate": ("weight_size", "down")}
    cost: ClassVar[Cost] = Cost()
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("decays",)
    rules: ClassVar[tuple[Rule, ...]] = (Rule("decays", "refuse", "two decays would add up", "Keep one of them"),)
    by_weight: ClassVar[frozenset[str]] = frozenset({"goal"})
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation("loshchilov2023", "Loshchilov", 2023, "Weight norm control", "arXiv", "2311.11446"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.target < float("inf"):
            raise SettingError(f"NormControl got target={self.target!r}", "it is 0 or above", "1 keeps the start")

    @classmethod
    def samples(cls) -> tuple[NormControl, ...]:
        """Return one whose target lies below the start, so that it pulls from the first step on."""
        return (cls(target=0.5),)

    def check(self, context: Context, optimizer: Any) -> None:
        """Refuse a second decay, and a model without anything to decay."""
        no_torch_optimizer_decay(optimizer)
        require_matrices(context.model, "NormControl")

    def plan(self, context: Context) -> tuple[str, ...]:
        """Return the names of the weights that are controlled."""
        return require_matrices(context.model, "NormControl")

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Remember the norms to reach."""
        return {"goal": self.target * each_norm(params.part(require_matrices(context.model, "NormControl"))).detach()}

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Pull, then step."""
        planned: tuple[str, ...] = memory.plan

        def step(params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
            names = present(grads, planned)
            if names and not strengths.is_off("rate"):
                goal = memory["goal"] if len(names) == len(planned) else memory["goal"][places_of(names, planned)]
                with torch.no_grad():
                    norm = each_norm(params.part(names)).clamp_min(1e-30)
                    eta = torch.as_tensor(rates(params, rate, names), dtype=norm.dtype, device=norm.device)
                    pull = eta * strengths["rate"] * (1.0 - goal / norm)
                    params = params.mul_(list((1.0 - pull.clamp(-MOST, MOST)).unbind()), only=names)
            return inner(params, grads, rate)

        return step
