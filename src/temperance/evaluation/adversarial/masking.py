"""Can the attack be believed? Ten signs that slopes are hidden, not absent.

A model whose slopes are broken (rounded inputs, saturated answers, noise) looks robust to every attack that follows
them. Signs after Carlini et al. (2019, arXiv:1902.06705), Athalye et al. (2018, arXiv:1802.00420) and Tramèr et al.
(2020, arXiv:2002.08347). Where one of the five hard signs shows, the verdict is "not trustworthy".
"""

from __future__ import annotations

import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from temperance.evaluation.adversarial.ball import Ball
from temperance.evaluation.adversarial.gradient import Found, apgd, fixed_steps
from temperance.evaluation.adversarial.losses import ScaledEntropy, by_pair, cross_entropy, margin, targeted_margin
from temperance.evaluation.adversarial.query import chance, search
from temperance.evaluation.adversarial.surrogate import surrogate
from temperance.evaluation.adversarial.tiers import DRAWS, averaged, is_random
from temperance.evaluation.adversarial.victim import Loss, Victim, fails

HARD = ("black box is better", "whole range does not break it", "no slopes", "random answers", "slopes inside")
STEP = 0.25  # length of the probes' steps as a share of the budget
_SLACK_ROWS, _SLACK = 2, 0.01  # differences below these are chance: rows, share


@dataclass(frozen=True)
class Sign:
    """One sign.

    Attributes:
        name: which.
        words: what it means, for readers.
        shows: whether it was found.
        value: the figure behind it.
        limit: where it begins to count.
        why_not: why it was not looked for, or empty.

    """

    name: str
    words: str
    shows: bool
    value: float
    limit: float
    why_not: str = ""

    @property
    def hard(self) -> bool:
        """Whether it alone makes the figures untrustworthy."""
        return self.name in HARD


@dataclass(frozen=True)
class Masking:
    """All signs together.

    Attributes:
        signs: ten, in order.
        n: rows that were probed.
        accuracies: share still right under each probe.
        seconds: time it took.

    """

    signs: tuple[Sign, ...]
    n: int
    accuracies: dict[str, float]
    seconds: float

    @property
    def shown(self) -> tuple[Sign, ...]:
        """The signs that were found."""
        return tuple(sign for sign in self.signs if sign.shows)

    @property
    def trustworthy(self) -> bool:
        """Whether no hard sign was found."""
        return not any(sign.hard for sign in self.shown)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {
            "trustworthy": self.trustworthy,
            "n": self.n,
            "signs": [{**vars(sign), "hard": sign.hard} for sign in self.signs],
            "accuracies": self.accuracies,
            "seconds": self.seconds,
        }


def masking(
    victim: Victim,
    x: Tensor,
    y: Tensor,
    ball: Ball,
    *,
    queries: int = 300,
    seed: int = 0,
    transfer: bool = True,
    complete: bool = True,
) -> Masking:
    """Look for the ten signs.

    Shapes: x (b, …), y (b,). About 200 rows are enough.

    Args:
        victim: the model.
        x: clean points.
        y: true classes.
        ball: norm and budget.
        queries: of the black-box probe, per row.
        seed: of everything random.
        transfer: also fit a plain net to the model's answers and attack that.
        complete: all that the model sees can change; where a part is fixed, a row need not break at any distance, and
            sign 2 is not looked for.

    """
    begun = time.perf_counter()
    probe = _Probe(victim, x, y, ball, seed)
    signs = (
        probe.strength(queries),
        probe.whole_range(complete),
        probe.slopes(),
        *probe.order(),
        probe.random_answers(),
        probe.probabilities(),
        probe.losses_agree(),
        slopes_inside(victim, x),
        probe.transferred(transfer),
    )
    return Masking(signs, len(x), probe.accuracy, time.perf_counter() - begun)


class _Probe:
    """The probes' results, each run once."""

    def __init__(self, victim: Victim, x: Tensor, y: Tensor, ball: Ball, seed: int) -> None:
        self.victim, self.x, self.y, self.ball, self.seed = victim, x, y, ball, seed
        self.random = is_random(victim, x)
        self.judge = averaged(victim, DRAWS) if self.random else victim
        self.clean = self.judge.scores(x)
        self.right = ~fails(self.clean, y)
        self.accuracy: dict[str, float] = {"clean": float(self.right.double().mean())}
        self.kept: dict[str, Tensor] = {}
        self.slack = max(_SLACK, _SLACK_ROWS / len(x))
        self.sloped = victim.gradient != "none"

    def generator(self, name: str) -> torch.Generator:
        """Return the generator of one probe."""
        return torch.Generator().manual_seed(zlib.crc32(f"{self.seed}/masking/{name}".encode()))

    def run(self, name: str, attack: Callable[[torch.Generator], Found]) -> float:
        """Run a probe and return the share of rows that stay right; what it found is asked once more."""
        found = attack(self.generator(name))
        broken = found.broken.clone()
        if broken.any():
            broken[found.broken] = self.judge.wrong(found.points[found.broken], self.y[found.broken])
        self.kept[name] = self.right & ~broken
        self.accuracy[name] = float(self.kept[name].double().mean())
        return self.accuracy[name]

    def steps(
        self, name: str, steps: int, *, loss: Any = cross_entropy, ball: Ball | None = None, near_by: bool = False
    ) -> float:
        """Follow the slope by fixed steps from a random start, or from the clean row."""
        near = ball or self.ball
        stride = 1.0 if steps == 1 else max(0.05, 2.5 / steps)

        def attack(generator: torch.Generator) -> Found:
            start = self.x if steps == 1 or near_by else near.start(self.x, generator, self.victim)
            return fixed_steps(self.victim, self.x, self.y, near, loss, steps=steps, stride=stride, start=start)

        return self.run(name, attack)

    def strength(self, queries: int) -> Sign:
        """Sign 1: answers alone break rows that slopes do not."""
        words = "an attack that only sees answers breaks rows that the attack along slopes does not"
        limit = max(0.002, (_SLACK_ROWS - 0.5) / len(self.x))
        if not self.sloped:
            return Sign("black box is better", words, False, 0.0, limit, "no slopes are used")
        entropy = ScaledEntropy(self.clean)
        for name, loss in (("white-box CE", entropy), ("white-box margin", margin)):
            self.run(name, partial(self._white, loss))
        white = self.kept["white-box CE"] & self.kept["white-box margin"]
        white &= self._toward(white)
        left = torch.nonzero(white).flatten()
        gained = 0.0
        if len(left):
            x, y = self.x[left], self.y[left]
            one = search(self.judge, x, y, self.ball, queries=queries, generator=self.generator("search"))
            two = chance(self.judge, x, y, self.ball, draws=20, generator=self.generator("chance"))
            hit = self.judge.wrong(one.points, y) & one.broken | self.judge.wrong(two.points, y) & two.broken
            gained = float(hit.sum()) / len(self.x)
        self.accuracy["white box"] = float(white.double().mean())
        self.accuracy["white and black box"] = self.accuracy["white box"] - gained
        return Sign("black box is better", words, gained > limit, gained, limit)

    def _white(self, loss: Loss, generator: torch.Generator) -> Found:
        start = self.ball.start(self.x, generator, self.victim)
        return apgd(self.victim, self.x, self.y, self.ball, loss, steps=50, start=start)

    def _toward(self, white: Tensor) -> Tensor:
        """Attack what is left toward up to three classes, as the tiers do; return what stays right, (b,) bool."""
        kept = white.clone()
        for rank in range(min(3, self.clean.shape[1] - 1)):
            left = torch.nonzero(kept).flatten()
            if not len(left):
                break
            x, y = self.x[left], self.y[left]
            others = self.clean[left].scatter(1, y[:, None], -torch.inf)
            target = others.argsort(dim=1, descending=True, stable=True)[:, rank]
            start = self.ball.start(x, self.generator(f"target {rank}"), self.victim)
            loss = by_pair(targeted_margin)
            found = apgd(self.victim, x, y, self.ball, loss, steps=30, start=start, target=target)
            if found.broken.any():
                hit = torch.nonzero(found.broken).flatten()
                kept[left[hit[self.judge.wrong(found.points[hit], y[hit])]]] = False
        return kept

    def whole_range(self, complete: bool) -> Sign:
        """Sign 2: a budget of the whole range does not break (nearly) every row."""
        words = "even changes over the whole range of the inputs do not break it"
        limit = max(0.01, (_SLACK_ROWS - 0.5) / len(self.x))
        reach = self._reach()
        if not (self.sloped and complete) or reach is None:
            why = "the inputs have no range" if complete else "a part of the inputs is fixed: rows need not break"
            why = why if self.sloped else "no slopes are used"
            return Sign("whole range does not break it", words, False, 0.0, limit, why)
        wide = replace(self.ball, eps=reach)
        self.steps("whole range, from afar", 50, ball=wide)
        self.steps("whole range, from the row", 50, ball=wide, loss=margin, near_by=True)
        kept = self.kept["whole range, from afar"] & self.kept["whole range, from the row"]
        left = self.accuracy["whole range"] = float(kept.double().mean())
        return Sign("whole range does not break it", words, left > limit, left, limit)

    def _reach(self) -> float | None:
        extent = self.victim.extent(self.x)
        if extent is None:
            return None
        zero = torch.zeros_like(extent)[None]
        return float(self.ball.distance(extent[None], zero))

    def slopes(self) -> Sign:
        """Sign 3: rows whose loss has no slope at all."""
        words = "the loss of many rows has no slope at all, so there is nothing to follow"
        if not self.sloped:
            return Sign("no slopes", words, False, 0.0, 0.05, "no slopes are used")
        _, _, slope = self.victim.slope(self.x, self.y, cross_entropy)
        none = float((slope.flatten(1).abs().amax(dim=1) == 0).double().mean())
        return Sign("no slopes", words, none > 0.05, none, 0.05)

    def order(self) -> tuple[Sign, Sign]:
        """Signs 4 and 5: more budget or more steps do not break more; one step breaks more than many."""
        grows = "a larger budget or more steps break fewer rows"
        single = "one step breaks more rows than many"
        if not self.sloped:
            why = "no slopes are used"
            return (
                Sign("more breaks less", grows, False, 0.0, self.slack, why),
                Sign("one step is better", single, False, 0.0, self.slack, why),
            )
        by_eps = [
            self.steps(f"{share:g} × budget", 20, ball=replace(self.ball, eps=share * self.ball.eps))
            for share in (0.5, 1.0, 2.0)
        ]
        ten, hundred = self.steps("10 steps", 10), self.steps("100 steps", 100)
        one = self.steps("1 step", 1)
        rise = max(by_eps[1] - by_eps[0], by_eps[2] - by_eps[1], hundred - ten)
        return (
            Sign("more breaks less", grows, rise > self.slack, rise, self.slack),
            Sign("one step is better", single, hundred - one > self.slack, hundred - one, self.slack),
        )

    def random_answers(self) -> Sign:
        """Sign 6: the same row is answered differently."""
        words = "the same row is answered differently each time"
        part = self.x[:64]
        passes = torch.stack([self.victim.scores(part) for _ in range(5)])
        apart = float((passes - passes[0]).abs().nan_to_num(torch.inf).max())
        return Sign("random answers", words, apart > 1e-4, apart, 1e-4)

    def probabilities(self) -> Sign:
        """Sign 7: the scores are probabilities, whose slopes fade where the model is sure."""
        words = "the scores are probabilities, whose slopes fade where the model is sure"
        low, apart = float(self.clean.min()), float((self.clean.sum(dim=1) - 1).abs().max())
        return Sign("outputs are probabilities", words, low >= 0 and apart < 1e-3, apart, 1e-3)

    def losses_agree(self) -> Sign:
        """Sign 8: the cross-entropy and the margin lead to different results."""
        words = "two losses that should agree lead to different results"
        if not self.sloped:
            return Sign("losses disagree", words, False, 0.0, 0.05, "no slopes are used")
        plain = self.steps("40 steps CE", 40)
        other = self.steps("40 steps margin", 40, loss=margin)
        limit = max(0.05, 3 / len(self.x))
        return Sign("losses disagree", words, abs(plain - other) > limit, abs(plain - other), limit)

    def transferred(self, wanted: bool) -> Sign:
        """Sign 10: points that break a plain net fitted to the answers break more of the model than its own slopes."""
        words = "points made against another, plain model break rows that its own slopes do not"
        if not wanted or not self.sloped:
            why = "left out" if self.sloped else "no slopes are used"
            return Sign("transfer is better", words, False, 0.0, self.slack, why)
        other = surrogate(self.judge, self.x, seed=self.seed)
        start = self.ball.start(self.x, self.generator("transfer"), self.victim)
        aim = self.judge.answer(self.x)
        found = fixed_steps(other, self.x, aim, self.ball, margin, steps=20, stride=STEP, start=start)
        last = fixed_steps(other, self.x, aim, self.ball, cross_entropy, steps=20, stride=STEP, start=start)
        broken = self.judge.wrong(found.points, self.y) | self.judge.wrong(last.points, self.y)
        white = self.accuracy["white box"]
        self.accuracy["transfer"] = float((self.right & ~broken).double().mean())
        gain = white - self.accuracy["transfer"]
        return Sign("transfer is better", words, gain > self.slack, gain, self.slack)


def slopes_inside(victim: Victim, x: Tensor) -> Sign:
    """Sign 9: the model computes slopes while it answers (it repairs its inputs, say), which hides its own.

    Shapes: x (b, …).
    """
    words = "the model computes slopes of its own while it answers"
    with _watched() as seen:
        victim.function(x[:2].detach())
    return Sign("slopes inside", words, bool(seen), float(len(seen)), 0.5)


@contextmanager
def _watched() -> Iterator[list[str]]:
    """Note calls of torch's differentiation in this thread, whatever name they were imported under."""
    seen: list[str] = []
    before = sys.getprofile()

    def note(frame: Any, event: str, argument: Any) -> None:
        if event == "call":
            module, name = frame.f_globals.get("__name__", ""), frame.f_code.co_name
            if (module, name) in _DIFFERENTIATION:
                seen.append(f"{module}.{name}")

    sys.setprofile(note)
    try:
        yield seen
    finally:
        sys.setprofile(before)


_DIFFERENTIATION = frozenset(
    {
        ("torch.autograd", "grad"),
        ("torch.autograd", "backward"),
        ("torch._functorch.eager_transforms", "grad_impl"),
        ("torch._functorch.eager_transforms", "grad_and_value_impl"),
        ("torch._functorch.eager_transforms", "_vjp_with_argnums"),
    }
)
