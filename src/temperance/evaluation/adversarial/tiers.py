"""Which attacks run, in which order, on which rows: only rows that are still right go on to the next attack."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from temperance.evaluation.adversarial import losses
from temperance.evaluation.adversarial.ball import Ball
from temperance.evaluation.adversarial.gradient import Found, apgd
from temperance.evaluation.adversarial.query import chance, search
from temperance.evaluation.adversarial.victim import Loss, Victim, fails
from temperance.records.errors import SettingError, nearest

Tier = Literal["quick", "standard", "publish"]
DRAWS = 20  # answers that are averaged, of a model that answers the same row differently
UNSTABLE = 1e-4  # difference of two answers to one row above which a model counts as random


class Effort(NamedTuple):
    """What a tier spends: steps of the untargeted attacks, classes to reach, steps for each, queries, random draws."""

    steps: int
    targets: int
    targeted_steps: int
    queries: int
    draws: int
    margin: bool


TIERS: dict[str, Effort] = {
    "quick": Effort(20, 0, 0, 0, 20, margin=True),
    "standard": Effort(50, 3, 30, 300, 20, margin=False),
    "publish": Effort(100, 9, 100, 5000, 100, margin=True),
}
_BLIND = {"quick": 300, "standard": 1000, "publish": 5000}  # queries where there are no slopes


@dataclass(frozen=True)
class Spent:
    """What one attack of a tier did.

    Attributes:
        name: the attack with its length.
        tried: rows that were still right before it.
        broken: rows that it broke.
        forwards: rows passed through the model for answers.
        slopes: rows passed through it for slopes.
        seconds: time it took.

    """

    name: str
    tried: int
    broken: int
    forwards: int
    slopes: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Attacked:
    """What a tier found within one budget.

    Attributes:
        norm: name of the distance.
        eps: the budget, in the units of the points.
        tier: which set of attacks ran.
        right: rows answered rightly before, (b,) bool.
        survived: rows that no attack broke, (b,) bool; rows that were wrong before do not count as robust.
        points: (b, …), a wrong answer where there is one.
        attacks: in the order in which they ran.
        random: the model answers the same row differently; averages of 20 answers were attacked and counted.

    """

    norm: str
    eps: float
    tier: str
    right: Tensor
    survived: Tensor
    points: Tensor = field(repr=False)
    attacks: tuple[Spent, ...] = ()
    random: bool = False

    @property
    def accuracy(self) -> float:
        """Share of all rows that are right and stayed right under every attack."""
        return float(self.survived.double().mean())

    @property
    def name(self) -> str:
        """What to call the set of attacks: never by the name of another one."""
        return " + ".join(one.name for one in self.attacks) or "nothing was attacked"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields (without points)."""
        return {
            "norm": self.norm,
            "eps": self.eps,
            "tier": self.tier,
            "n": len(self.right),
            "right": int(self.right.sum()),
            "survived": int(self.survived.sum()),
            "random": self.random,
            "attacks": [vars(one) for one in self.attacks],
        }


class _Run(NamedTuple):
    name: str
    attack: Callable[[Tensor, torch.Generator], Found]


def attack(
    victim: Victim,
    x: Tensor,
    y: Tensor,
    ball: Ball,
    *,
    tier: Tier = "standard",
    seed: int = 0,
    right: Tensor | None = None,
    random: bool | None = None,
) -> Attacked:
    """Attack rows within one budget.

    Shapes: x (b, …), y (b,), right (b,) bool.

    Args:
        victim: the model.
        x: clean points, inside the victim's box.
        y: true classes.
        ball: norm and budget.
        tier: how hard to try.
        seed: of everything random.
        right: rows to attack, if known; rows that are answered rightly by default.
        random: whether the model is random, if known; asked by default.

    Raises:
        SettingError: another tier; no rows, or not as many classes as rows.

    """
    effort = _effort(tier)
    if not len(x) or len(x) != len(y):
        raise SettingError(f"{len(x)} points and {len(y)} classes", "as many, at least one", "Give both for each row")
    random = is_random(victim, x) if random is None else random
    asked = averaged(victim, DRAWS) if random else victim
    clean = asked.scores(x)
    before = ~fails(clean, y) if right is None else right
    survived, points = before.clone(), x.clone()
    spent: list[Spent] = []
    for run in _runs(_Rows(asked, x, y, ball, clean), effort, tier):
        rows = torch.nonzero(survived).flatten()
        if not len(rows):
            break
        begun, forwards, slopes = time.perf_counter(), victim.tally.forwards, victim.tally.slopes
        generator = torch.Generator().manual_seed(zlib.crc32(f"{seed}/{run.name}/{ball.eps}".encode()))
        found = run.attack(rows, generator)
        broken = found.broken.clone()
        if broken.any():  # a point counts only if the model still errs on it when it is asked once more
            broken[found.broken] = asked.wrong(found.points[found.broken], y[rows[found.broken]])
        hit = rows[broken]
        points[hit], survived[hit] = found.points[broken], False
        spent.append(
            Spent(
                run.name, len(rows), len(hit), victim.tally.forwards - forwards, victim.tally.slopes - slopes,
                time.perf_counter() - begun,
            )
        )  # fmt: skip
    return Attacked(ball.name, ball.eps, tier, before, survived, points, tuple(spent), random)


class _Rows(NamedTuple):
    """All rows of an attack, from which each run takes those that are left."""

    victim: Victim
    x: Tensor
    y: Tensor
    ball: Ball
    clean: Tensor

    def climb(self, loss: Loss, steps: int, rank: int | None, rows: Tensor, generator: torch.Generator) -> Found:
        """Run APGD from a random start, toward the class of this rank among the wrong ones where one is given."""
        x, y = self.x[rows], self.y[rows]
        target = None
        if rank is not None:
            others = self.clean[rows].scatter(1, y[:, None], -torch.inf)
            target = others.argsort(dim=1, descending=True, stable=True)[:, rank]
        start = self.ball.start(x, generator, self.victim)
        return apgd(self.victim, x, y, self.ball, loss, steps=steps, start=start, target=target)


def _runs(rows: _Rows, effort: Effort, tier: str) -> list[_Run]:
    """Return the attacks of a tier; without slopes, those that ask for answers only."""
    victim, ball = rows.victim, rows.ball
    queries = effort.queries
    runs: list[_Run] = []
    if victim.gradient == "none":
        queries = _BLIND[tier]
    else:
        entropy = losses.ScaledEntropy(rows.clean)
        runs.append(_Run(f"APGD-CE {effort.steps}", partial(rows.climb, entropy, effort.steps, None)))
        if effort.margin:
            runs.append(_Run(f"APGD-margin {effort.steps}", partial(rows.climb, losses.margin, effort.steps, None)))
        loss = losses.by_pair(losses.targeted_ratio if tier == "publish" else losses.targeted_margin)
        for rank in range(min(effort.targets, rows.clean.shape[1] - 1)):
            name = f"APGD-target {rank + 1} {effort.targeted_steps}"
            runs.append(_Run(name, partial(rows.climb, loss, effort.targeted_steps, rank)))
    if effort.draws:
        runs.append(
            _Run(
                f"random {effort.draws}",
                lambda left, g: chance(victim, rows.x[left], rows.y[left], ball, draws=effort.draws, generator=g),
            )
        )
    if queries:
        runs.append(
            _Run(
                f"search {queries}",
                lambda left, g: search(victim, rows.x[left], rows.y[left], ball, queries=queries, generator=g),
            )
        )
    return runs


def is_random(victim: Victim, x: Tensor, *, rows: int = 64) -> bool:
    """Return whether five passes of the same points differ by more than 1e-4.

    Shapes: x (b, …).
    """
    part = x[:rows]
    first = victim.scores(part)
    return any(float((victim.scores(part) - first).abs().nan_to_num(torch.inf).max()) > UNSTABLE for _ in range(4))


def averaged(victim: Victim, draws: int) -> Victim:
    """Return a victim whose scores are the mean of so many passes (expectation over what is random in the model)."""

    def mean(x: Tensor) -> Tensor:
        return torch.stack([victim.function(x) for _ in range(draws)]).mean(dim=0)

    return replace(victim, function=mean)


def smallest(victim: Victim, x: Tensor, found: Attacked, y: Tensor, *, rounds: int = 12) -> Tensor:
    """Return the length of the smallest change found for each row that was broken, by bisection toward the clean row.

    An upper bound of what is needed: 0 for rows that were wrong before, infinite for those that survived.
    Shapes: x (b, …), y (b,) → (b,).
    """
    from temperance.evaluation.adversarial.ball import BALLS

    broken = torch.nonzero(found.right & ~found.survived).flatten()
    lengths = torch.where(found.right, torch.inf, 0.0)
    if not len(broken):
        return lengths
    origin, far, truth = x[broken], found.points[broken], y[broken]
    low, high = torch.zeros(len(broken)), torch.ones(len(broken))
    wide = (-1, *[1] * (x.dim() - 1))
    for _ in range(rounds):
        half = (low + high) / 2
        wrong = victim.wrong(origin + half.reshape(wide).to(x.dtype) * (far - origin), truth)
        high, low = torch.where(wrong, half, high), torch.where(wrong, low, half)
    point = origin + high.reshape(wide).to(x.dtype) * (far - origin)
    lengths[broken] = BALLS[found.norm](found.eps).distance(point, origin).to(lengths.dtype)
    return lengths


def _effort(tier: str) -> Effort:
    if tier not in TIERS:
        raise SettingError(f"there is no tier {tier!r}", f"known are {', '.join(TIERS)}", nearest(tier, TIERS))
    return TIERS[tier]
