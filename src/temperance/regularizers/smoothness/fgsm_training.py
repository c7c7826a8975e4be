"""Adversarial training by one step from a random start."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import ANSWERS_ONLY, Batch, Pass
from temperance.core.kit.attacks import (
    Attack,
    Attacking,
    Bound,
    Box,
    Near,
    loss_at,
    search_mode,
    starts,
    straight_through,
)
from temperance.core.kit.inputs import movable
from temperance.core.leaves import Leaves
from temperance.core.nest import with_floating
from temperance.core.random import fold
from temperance.core.regularizer import Context, Effect, Memory, Objective, Strengths, techniques
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import SettingError

_PROBE_STEPS = 10
_NEAR_ZERO, _APART = 0.05, 0.2  # right answers under the strong attack, and how many more under the quick one


@techniques.add
@dataclass(frozen=True, repr=False)
class FGSMTraining(Attacking):
    """Train on inputs moved once, from a random start, to where the loss is larger (FGSM-RS).

        x⁰ = x + U(−ε, ε);  x' = Π(x⁰ + stride·ε·sign ∇ₓl(x⁰)),  Π: within ε of x and inside the box;  loss = l(x')

    Its weakness is catastrophic over-fitting: within a few steps the net learns to resist this one step and nothing
    else. So every ``probe_every`` steps the batch is attacked by ten steps as well; where hardly a row (5 %) then stays
    right although the quick attack leaves at least 20 % more, it warns, and ``session.warnings`` (a study's too) keep
    the first alarm. ``notes`` carry both shares. The probe runs in
    solo only (members of a population cannot branch), and for class labels.

    Stage: objective (attack).  Cost: two forward and backward passes, and a probe of 12 and 10 now and then.
    Strengths: eps in [1e-4, 1], neutral 0, log, stronger = up.
    Shapes: floating inputs (b, …) → same, integer inputs stay; tables (b, f) and images (b, c, h, w) can have bounds;
    tokens alone: their vectors (b, …, d) are moved, behind the input embedding, and ε is in their units.
    Use when: ``PGDTraining`` takes too long.  Avoid when: ε is large; the alarm rings: take PGDTraining, a smaller ε or
    stop earlier. Never report accuracy under this attack as robustness.

    Args:
        eps: how far each value may move, in the units of the inputs.
        stride: length of the step as a share of ε.
        probe_every: steps between two probes; 0 for none.
        low: smallest value that an input can have, one number or one per column (images: per channel).
        high: largest value, likewise.
        fixed: columns (images: channels) that nobody can change.

    Raises:
        SettingError: a setting outside its range.
        RecipeError: nothing that can be moved; bounds for another number of columns.

    Example:
        >>> FGSMTraining(8 / 255, low=0.0, high=1.0, probe_every=0).cost.backwards
        2

    References: Wong, Rice and Kolter (2020), arXiv:2001.03994, algorithm 3 and section 5.4.

    """

    eps: float = 8 / 255
    stride: float = 1.25
    probe_every: int = 200
    low: Bound = None
    high: Bound = None
    fixed: tuple[int, ...] = ()

    strengths: ClassVar[dict[str, Strength]] = {
        "eps": Strength(
            8 / 255, low=1e-4, high=1.0, neutral=0.0, scale="log", words="how far each input value may be moved"
        )
    }
    cost: ClassVar[Cost] = Cost(forwards=2.06, backwards=2.05, note="2, and a probe every 200 steps")
    effect: ClassVar[Effect] = {"eps": ("departure", "up")}
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "wong2020", "Wong, Rice, Kolter", 2020, "Fast is better than free: revisiting adversarial training", "ICLR",
            "2001.03994", "algorithm 3",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.attack  # checks its settings
        if not 0 <= self.probe_every <= 1_000_000:
            raise SettingError(
                f"FGSMTraining got probe_every={self.probe_every!r}",
                "probe_every lies between 0 (no probe) and a million",
                "200 is the default",
            )
        every = self.probe_every
        probe = (_PROBE_STEPS + 2) / every if every else 0.0, _PROBE_STEPS / every if every else 0.0
        note = f"2, and a probe every {every} steps" if every else ""
        object.__setattr__(self, "cost", Cost(forwards=2 + probe[0], backwards=2 + probe[1], note=note))

    @classmethod
    def samples(cls) -> Iterable[Self]:
        """Return it without the probe, whose cost is an average over many steps, free and in a box."""
        return (cls(probe_every=0), cls(0.1, probe_every=0, low=-1.0, high=1.0))

    @property
    def attack(self) -> Attack:
        """The one step."""
        return Attack(Box("FGSMTraining", self.low, self.high, self.fixed), 1, self.stride)

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Count passes, for the probe."""
        return {"seen": 0} if self.probe_every and params.owned else {}

    def alarms(self, memory: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the first alarm, where it rang."""
        if "rang" not in memory:
            return ()
        seen, quick, strong = memory["rang"]
        return (f"{ALARM.format(quick, strong)} First seen at pass {seen}.",)

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Attack the batch, then train on it; where no slopes are wanted (a teacher answers) it stays as it is."""
        attack = self.attack

        def attacked(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("eps") or not torch.is_grad_enabled():
                return inner(params, buffers, batch, key)
            batch = movable(batch, "FGSMTraining")
            near, own = attack.near(batch, strengths), fold(key, strengths.address)
            with search_mode(memory.plan, own):
                found = attack.climb(loss_at(inner, params, buffers, batch, own), starts(near, own), near)
            passed = inner(params, buffers, batch._replace(inputs=straight_through(batch.inputs, found)), key)
            if not near.solo or not self.probe_every:
                return passed
            seen = memory["seen"] + 1
            passed = passed.remember(memory.address, seen=seen)
            if seen % self.probe_every or not _is_labels(batch.targets):
                return passed
            with search_mode(memory.plan, own):
                shares = self._probe(inner, params, buffers, batch, found, near, own)
            if _is_alarming(*shares):
                warnings.warn(ALARM.format(*shares), RuntimeWarning, stacklevel=2)
                if "rang" not in memory:
                    passed = passed.remember(memory.address, rang=[seen, *shares])
            names = (f"{memory.address}.quick_accuracy", f"{memory.address}.pgd_accuracy")
            told = {name: torch.tensor(share) for name, share in zip(names, shares, strict=True)}
            return passed._replace(notes={**passed.notes, **told})

        return attacked

    def _probe(
        self, inner: Any, params: Leaves, buffers: Any, batch: Batch, found: list[Tensor], near: Near, key: Any
    ) -> tuple[float, float]:
        """Attack harder and compare; return both shares of right answers."""
        strong = Attack(self.attack.box, _PROBE_STEPS, 0.25)
        worst = strong.climb(loss_at(inner, params, buffers, batch, key), found, near)
        asked = [batch._replace(inputs=with_floating(batch.inputs, at), targets=ANSWERS_ONLY) for at in (found, worst)]
        with torch.no_grad():
            quick, pgd = (right(inner(params, buffers, one, key).outputs, batch) for one in asked)
        return quick, pgd


ALARM = (
    "FGSMTraining: catastrophic over-fitting. {:.0%} of the rows stay right under its own attack, {:.0%}"
    " under ten steps of PGD. Use PGDTraining, a smaller eps, or the weights from before this step."
)


def right(outputs: Any, batch: Batch) -> float:
    """Return the share of rows (with members: of rows and members) whose answer is the label, −1 left out.

    NaN where the outputs are no scores (b,), (b, c) or (b, k, c), or do not fit the labels.
    """
    if not isinstance(outputs, Tensor) or not outputs.is_floating_point() or outputs.dim() not in (1, 2, 3):
        return float("nan")
    wide = outputs.detach().unsqueeze(1) if outputs.dim() == 1 else outputs.detach()
    answers = (wide[..., 0] > 0).long() if wide.shape[-1] == 1 else wide.argmax(-1)
    labels = batch.targets.unsqueeze(1) if answers.dim() > batch.targets.dim() else batch.targets
    if labels.dim() != answers.dim():
        return float("nan")
    kept = (labels >= 0).expand_as(answers)
    return float(((answers == labels) & kept).sum() / kept.sum())


def _is_alarming(quick: float, strong: float) -> bool:
    return strong < _NEAR_ZERO and quick - strong > _APART


def _is_labels(targets: Any) -> bool:
    return isinstance(targets, Tensor) and not targets.is_floating_point() and targets.dim() in (1, 2)
