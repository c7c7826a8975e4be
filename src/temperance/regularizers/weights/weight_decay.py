"""Decoupled weight decay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.kit import equilibrium
from temperance.core.kit.groups import largest, shares, take_over
from temperance.core.kit.weights import present
from temperance.core.leaves import Leaves
from temperance.core.members import along, places
from temperance.core.optimizers import no_torch_optimizer_decay
from temperance.core.policy import matrices, reason_kept
from temperance.core.regularizer import Context, Effect, Memory, Rank, Rate, Regularizer, Strengths, Update, techniques
from temperance.core.rules import Rule
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import RecipeError


@techniques.add
@dataclass(frozen=True, repr=False)
class WeightDecay(Regularizer):
    """Shrink the weights a little before every optimizer step.

        w ← (1 − η·λ)·w,  then the optimizer's step

    As a timescale: the weights are an average of their updates over τ epochs, λ = 1 / (η·τ·M) with M steps per epoch;
    τ is what stays right when the data or the batch size changes.

    Stage: update (before the optimizer).  Cost: free.  Strengths: rate λ in [1e-6, 5], neutral 0, log, stronger = up.
    Shapes: any; biases, normalization, embeddings and vectors are left alone (``policy="matrices"``), or nothing is
    (``policy="all"``); or the optimizer's parameter groups say so (``from_optimizer``).
    Use when: nearly always; small data repeated many times wants far more than the usual 0.01.
    Avoid when: the optimizer has its own ``weight_decay`` (refused).

    Args:
        rate: coefficient λ per unit of learning rate.
        timescale: τ in epochs; replaces ``rate`` and needs ``steps_per_epoch`` when attached.
        policy: ``matrices``, ``all``, or ``groups``: as ``from_optimizer`` found them.

    Raises:
        SettingError: λ outside its range.
        RecipeError: the optimizer decays too, nothing to decay, or a timescale without steps per epoch.

    Example:
        >>> WeightDecay(1e-2), WeightDecay(timescale=10.0)
        (WeightDecay(), WeightDecay(timescale=10.0))

    References: Loshchilov and Hutter (2019), arXiv:1711.05101, algorithm 2; Wang and Aitchison (2025),
    arXiv:2405.13698.

    """

    rate: float = 1e-2
    timescale: float | None = None
    policy: str = "matrices"

    strengths: ClassVar[dict[str, Strength]] = {
        "rate": Strength(
            default=1e-2,
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
    cost: ClassVar[Cost] = Cost()
    unique: ClassVar[bool] = True
    per_member: ClassVar[frozenset[str]] = frozenset({"rate"})
    roles: ClassVar[tuple[str, ...]] = ("decays",)
    rules: ClassVar[tuple[Rule, ...]] = (Rule("decays", "refuse", "two decays would add up", "Keep one of them"),)
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "loshchilov2019", "Loshchilov, Hutter", 2019, "Decoupled weight decay regularization", "ICLR", "1711.05101"
        ),
        Citation(
            "wang2025",
            "Wang, Aitchison",
            2025,
            "How to set AdamW's weight decay as you scale model and dataset size",
            "ICML",
            "2405.13698",
        ),
    )

    def initial(self, context: Context) -> dict[str, float]:
        """Return λ; from the timescale where one is given.

        Raises:
            RecipeError: a timescale in epochs, but steps per epoch are not known.

        """
        if self.timescale is None:
            return {"rate": self.rate}
        if not context.steps_per_epoch:
            raise RecipeError(
                f"WeightDecay(timescale={self.timescale:g}) is in epochs, but steps per epoch are not known",
                "a timescale needs them",
                "Pass steps_per_epoch=len(loader) to attach",
            )
        value = 1.0 / (context.lr * self.timescale * context.steps_per_epoch)
        return {"rate": self.strengths["rate"].check("WeightDecay", "rate (from the timescale)", value)}

    def timescale_epochs(self, *, lr: float, steps_per_epoch: int) -> float:
        """Return over how many epochs the weights average their updates, τ = 1/(η·λ·M)."""
        return self.timescale or equilibrium.timescale_epochs(lr, self.rate, steps_per_epoch)

    def equilibrium_angle(self, *, lr: float, momentum: float = 0.9, steps_per_epoch: int | None = None) -> float:
        """Return by how many radians a weight turns per step under Adam once it has settled.

        √(2·η·λ·(1 − β₁)/(1 + β₁)); it holds where only the direction of a weight counts (normalized layers), after
        about 5/(η·λ) steps. ``steps_per_epoch`` is needed where the decay is given as a timescale.

        References: Kosson, Messmer and Jaggi (2024), arXiv:2305.17212, table 1.
        """
        decay = self.rate
        if self.timescale is not None:
            decay = equilibrium.decay_for(self.timescale, lr, steps_per_epoch or 0)
        return equilibrium.equilibrium_angle(lr, decay, momentum)

    def check(self, context: Context, optimizer: Any) -> None:
        """Refuse a second decay, and a model without anything to decay.

        Raises:
            RecipeError: one of these.

        """
        if self.policy == "groups" and optimizer is not None and self.rate:
            take_over(optimizer, self.rate, type(self).__name__, context.model)  # new groups, or those of a new run
        else:
            no_torch_optimizer_decay(optimizer)
        if self.policy not in ("matrices", "all", "groups"):
            raise RecipeError(
                f"WeightDecay got policy={self.policy!r}", "it is 'matrices', 'all' or 'groups'", "Pick one"
            )
        if not self._names(context):
            raise RecipeError(
                "WeightDecay finds nothing to decay: every parameter is a bias, a norm or an embedding",
                "it needs a weight matrix",
                "Use WeightDecay(policy='all')",
            )

    @classmethod
    def from_optimizer(cls, optimizer: torch.optim.Optimizer) -> WeightDecay:
        """Take over the ``weight_decay`` of an optimizer's groups: their ratios stay, groups without decay stay so.

        The strength is the largest of them; the optimizer's own become 0. With AdamW the training is what it was, until
        a controller moves the strength. Groups that are added later are taken in at the next step.

        Args:
            optimizer: the one that ``attach`` gets next.

        Raises:
            RecipeError: no group decays.
            SettingError: a ``weight_decay`` outside the strength's range.

        Example:
            >>> optimizer = torch.optim.AdamW(groups, lr=2e-5)  # doctest: +SKIP
            >>> Recipe(WeightDecay.from_optimizer(optimizer)).attach(model, optimizer, loss=loss)  # doctest: +SKIP

        """
        made = cls(largest(optimizer, cls.__name__), policy="groups")  # refused here, the groups are as they were
        take_over(optimizer, made.rate, cls.__name__)
        return made

    def _names(self, context: Context) -> tuple[str, ...]:
        if self.policy == "groups":
            return tuple(shares(context.optimizer, context.model, type(self).__name__))
        return tuple(reason_kept(context.model)) if self.policy == "all" else matrices(context.model)

    def plan(self, context: Context) -> _Plan:
        """Return the weights that are decayed, their shares of the rate, and the members along their first axis."""
        names = self._names(context)
        parts = shares(context.optimizer, context.model, type(self).__name__) if self.policy == "groups" else {}
        return _Plan(names, places(context.model, names), {n: s for n, s in parts.items() if s != 1.0})

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Decay, then step."""
        plan: _Plan = memory.plan

        def step(params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
            value, decayed = strengths.number("rate"), present(grads, plan.names)
            if decayed and not strengths.is_off("rate"):
                if isinstance(rate, list) or plan.shares or _per_member(value):
                    rates = rate if isinstance(rate, list) else [rate] * len(params)
                    chosen = dict(zip(params.names, rates, strict=True))
                    own = [along(value, params[n], plan.places[n]) if _per_member(value) else value for n in decayed]
                    factors = [
                        1.0 - chosen[n] * (v * plan.shares[n] if n in plan.shares else v)
                        for n, v in zip(decayed, own, strict=True)
                    ]
                    params = params.mul_(factors, only=decayed)
                else:
                    params = params.mul_(1.0 - rate * value, only=decayed)
            return inner(params, grads, rate)

        return step


class _Plan(NamedTuple):
    """What is decayed: names in order, members along the first axis, and shares of the rate other than 1."""

    names: tuple[str, ...]
    places: dict[str, slice | None]
    shares: dict[str, float]


def _per_member(value: Any) -> bool:
    return isinstance(value, Tensor) and value.dim() == 1
