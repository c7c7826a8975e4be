"""Virtual adversarial training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from temperance.control.strength import Strength
from temperance.core.batch import ANSWERS_ONLY, Batch, Pass, mean, plus
from temperance.core.counted import may_look
from temperance.core.kit.attacks import (
    Attack,
    Attacking,
    Bound,
    Box,
    Length,
    Near,
    Value,
    along,
    divergence,
    divergence_at,
    noise_so_far,
    same_noise,
    search_mode,
    slopes,
    straight_through,
    within,
)
from temperance.core.kit.classes import class_logits, log_softmax
from temperance.core.kit.inputs import movable
from temperance.core.leaves import Leaves
from temperance.core.random import fold, normal
from temperance.core.regularizer import (
    Context,
    Effect,
    Memory,
    Objective,
    Strengths,
    techniques,
)
from temperance.core.statistics import tracking, unchanged
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import SettingError

SAFE = 1e-15  # a length above which no square that matters vanishes in single precision


@techniques.add
@dataclass(frozen=True, repr=False)
class VAT(Attacking):
    """Ask for the same answer in the direction in which each answer changes fastest; labels play no part.

        loss = l(x) + weight · mean over examples of KL(p̂(x) ‖ p(x + r)),  r = ε·g/‖g‖₂,
        g = ∇ᵣ KL(p̂(x) ‖ p(x + r)) at r = ξ·d,  d a random direction (improved ``rounds`` times);  p̂ is held fast

    ε is a Euclidean length per row, over all its values; inside a box the row may move less. The direction is sought in
    evaluation mode; both passes of the loss see the same noise, and running statistics are those of the clean rows.
    On token models the length is that of a whole text's move, padding left out. The smoothness term of SMART
    (arXiv:1911.03437) is this one on the vectors with the KL taken both ways and ε a bound on each value; ``R3F`` has
    that KL without the search.

    Stage: objective (attack).  Cost: rounds + 3 forward passes, rounds + 1 backward passes.
    Strengths: weight in [0, 10], neutral 0, linear; eps in [1e-3, 30], neutral 0, log; stronger = up.
    Shapes: floating inputs (b, …) → same, integer inputs stay; tables (b, f) and images (b, c, h, w) can have bounds;
    tokens alone: their vectors (b, …, d) are moved, behind the input embedding, and ε is in their units.
    Outputs (b, …, c) logits.
    Use when: few labels, or steadiness without a fixed enemy.  Avoid when: regression.

    Args:
        weight: weight of the disagreement.
        eps: length of the move, in the units of the inputs.
        rounds: how often the direction is improved.
        xi: length ξ of the probe.
        low: smallest value that an input can have, one number or one per column (images: per channel).
        high: largest value, likewise.
        fixed: columns (images: channels) that nobody can change.

    Raises:
        SettingError: a setting outside its range.
        RecipeError: nothing that can be moved; outputs that are no logits; bounds for another number of columns.

    Example:
        >>> VAT(0.5).to_dict()
        {'name': 'VAT', 'weight': 0.5, 'eps': 1.0, 'rounds': 1, 'xi': 0.001, 'fixed': []}

    References: Miyato et al. (2018), arXiv:1704.03976, section 3.3, eq. 5 to 13.

    """

    weight: float = 1.0
    eps: float = 1.0
    rounds: int = 1
    xi: float = 1e-3
    low: Bound = None
    high: Bound = None
    fixed: tuple[int, ...] = ()

    strengths: ClassVar[dict[str, Strength]] = {
        "weight": Strength(1.0, low=0.0, high=10.0, neutral=0.0, words="how much steady answers count"),
        "eps": Strength(1.0, low=1e-3, high=30.0, neutral=0.0, scale="log", words="how far each row may be moved"),
    }
    cost: ClassVar[Cost] = Cost(forwards=4, backwards=2, note="rounds + 3 and rounds + 1")
    effect: ClassVar[Effect] = {"weight": ("departure", "up"), "eps": ("departure", "up")}
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "miyato2018", "Miyato et al.", 2018,
            "Virtual adversarial training: a regularization method for supervised and semi-supervised learning",
            "TPAMI", "1704.03976", "section 3.3",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.attack  # checks its settings
        if not 1 <= self.rounds <= 20 or not 0 < self.xi <= 100:
            raise SettingError(
                f"VAT got rounds={self.rounds!r}, xi={self.xi!r}",
                "rounds lies between 1 and 20, xi above 0 and up to 100",
                "1 and 0.001 are the defaults",
            )
        cost = Cost(forwards=self.rounds + 3, backwards=self.rounds + 1, note="rounds + 3 and rounds + 1")
        object.__setattr__(self, "cost", cost)

    @property
    def attack(self) -> Attack:
        """Where the rows may go."""
        return Attack(Box("VAT", self.low, self.high, self.fixed))

    def plan(self, context: Context) -> tuple[nn.Module, tuple[nn.Module, ...]]:
        """Return the model, whose mode is changed for the search, and its layers with running statistics."""
        return context.model, tracking(context.model)

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Add the disagreement; where no slopes are wanted (a teacher answers) the batch stays as it is."""
        address, attack = strengths.address, self.attack

        def moved(params: Leaves, buffers: Any, batch: Batch, key: Any) -> Batch:
            batch = movable(batch, "VAT")
            near = attack.near(batch, strengths)
            with search_mode(memory.plan[0], key):
                ways = self._ways(divergence_at(inner, params, buffers, batch, key, "VAT"), near, key)
            found = _inside(near, ways, near.eps)
            return batch._replace(inputs=straight_through(batch.inputs, found), targets=ANSWERS_ONLY)

        def steady(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("weight") or strengths.is_off("eps") or not torch.is_grad_enabled():
                return inner(params, buffers, batch, key)
            far = moved(params, buffers, batch, fold(key, address))  # first: nothing else is in memory yet
            noise = noise_so_far()
            clean = inner(params, buffers, batch, key)
            with same_noise(noise), unchanged(memory.plan[1]):
                there = inner(params, clean.buffers, far, key)
            seen: Batch = clean.batch or batch
            known = log_softmax(class_logits(clean.outputs, "VAT", batch=seen).detach())
            apart = mean(divergence(known, log_softmax(class_logits(there.outputs, "VAT", batch=seen))), seen)
            loss = plus(clean.loss, apart, strengths.number("weight"))
            return clean._replace(loss=loss, notes={**clean.notes, f"{address}.disagreement": apart.detach()})

        return steady

    def _ways(self, value: Value, near: Near, key: Any) -> list[Tensor]:
        """Return the direction of each row in which its answer changes fastest, of length 1."""
        free = None if near.box.is_open else [(high > low).to(low.dtype) for low, high in near.limits]
        ways = [normal(fold(key, "start", i), x.shape, x.device).to(x.dtype) for i, x in enumerate(near.xs)]
        for _ in range(self.rounds):
            at = _inside(near, unit(_kept(ways, free)), self.xi)
            ways = slopes(value, at, solo=near.solo)
        return unit(_kept(ways, free))


def _kept(ways: list[Tensor], free: list[Tensor] | None) -> list[Tensor]:
    return ways if free is None else [way * part for way, part in zip(ways, free, strict=True)]


def _inside(near: Near, ways: list[Tensor], length: Length) -> list[Tensor]:
    """Return the inputs moved by length·ways; steps of length ≤ ε need no limits where there is no box."""
    found = [along(x, d, length) for x, d in zip(near.xs, ways, strict=True)]
    return found if near.box.is_open else within(found, near.limits)


def unit(ways: list[Tensor]) -> list[Tensor]:
    """Return the directions with length 1 per row over all leaves; 0 stays 0. Shapes: (b, …) each."""
    lengths = _lengths(ways)
    if may_look(lengths) and float(lengths.min()) > SAFE:  # NaN goes the long way too
        return _over(ways, lengths)
    largest = [w.flatten(1).abs().amax(1) for w in ways]  # squares of tiny slopes vanish
    ways = _over(ways, _safe(largest[0] if len(ways) == 1 else torch.stack(largest).amax(0)))
    return _over(ways, _safe(_lengths(ways)))


def _lengths(ways: list[Tensor]) -> Tensor:
    each: list[Tensor] = [torch.linalg.vector_norm(w.flatten(1), 2, 1) for w in ways]
    if len(each) == 1:
        return each[0]
    whole: Tensor = torch.linalg.vector_norm(torch.stack(each), 2, 0)
    return whole


def _safe(lengths: Tensor) -> Tensor:
    return lengths.clamp_min(torch.finfo(lengths.dtype).tiny)  # 0 stays 0


def _over(ways: list[Tensor], lengths: Tensor) -> list[Tensor]:
    return [w / lengths.to(w.dtype).reshape(-1, *[1] * (w.dim() - 1)) for w in ways]
