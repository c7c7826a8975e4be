"""Stop at the best reading, and average the readings that earned it: the weights that a session keeps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from temperance.control.base import require
from temperance.core.heldout import Asked, Better
from temperance.core.leaves import Leaves
from temperance.records.errors import RecipeError, SettingError, listed, nearest

Buffers = dict[str, Tensor]


@dataclass(frozen=True)
class Within:
    """The best reading among those at which signals stay within limits: ``attach(..., select=Within(forgetting=0.1))``.

    One reading is kept, no mean of several, since the signals were measured at that one. Where none stays within its
    limits nothing is kept; ``finish`` then warns and leaves the last weights.

    Args:
        **limits: the largest value of each signal that may be; a signal that was not measured is not within.

    Example:
        >>> Within(forgetting=0.1).limits
        {'forgetting': 0.1}

    """

    limits: dict[str, float]

    def __init__(self, **limits: float) -> None:
        for name, value in limits.items():
            require("Within", name, value, -1e12, 1e12)
        object.__setattr__(self, "limits", {name: float(value) for name, value in limits.items()})

    def admits(self, signals: Mapping[str, float]) -> bool:
        """Return whether each signal is known and within its limit."""
        return all(signals.get(name, math.nan) <= limit for name, limit in self.limits.items())


Select = Literal["average", "best"] | Within


@dataclass(frozen=True)
class Chosen:
    """The weights that ``finish`` will put in.

    Attributes:
        readings: numbers of the calls of ``validate`` whose weights are in the mean, the first is 1.
        signal: what they were judged by, ``valid_loss`` or ``metric``.
        value: its value at these weights, on the held-out rows that chose them: it flatters.
        single: the best value of one reading alone.

    """

    readings: tuple[int, ...]
    signal: str
    value: float
    single: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {**asdict(self), "readings": list(self.readings)}

    def __str__(self) -> str:
        if len(self.readings) == 1:
            return f"serves reading {self.readings[0]}, {self.signal} {self.value:.4g}"
        first, last = self.readings[0], self.readings[-1]
        mean = f"serves the mean of {len(self.readings)} readings from {first} to {last}"
        return f"{mean}, {self.signal} {self.value:.4g} (the best alone {self.single:.4g})"


class Readings:
    """The weights that the held-out rows spoke for: one set, and how it came about.

    With w the weights that would ship now, s the kept ones (the mean of m readings) and L the held-out loss:

        t = s + (w − s)/(m + 1);   L(t) ≤ min(L(s), L(w)): keep t, the reading joins
                                   else L(w) < L(s):       keep w, a new beginning
                                   else:                   keep s; ``patience`` such readings in a row stop the training

    Running statistics are averaged like weights and judged with them, so nothing has to be re-estimated. A reading
    without a number is never kept. Memory: two copies of the weights, a third while validating.

    Args:
        select: ``average`` as above, ``best`` without t, ``Within(…)``: the best of those within limits, None: only
            what a controller keeps.
        patience: see above.

    References: Prechelt (1998), "Early stopping, but when?"; Wortsman et al. (2022), arXiv:2203.05482, greedy soups;
    here in the order of time, so that two copies are enough.

    """

    def __init__(self, select: Select | None, patience: int) -> None:
        if not isinstance(select, Within) and select not in ("average", "best", None):
            raise SettingError(f"select={select!r}", "'average', 'best', Within(…) or None", "Pick one of these")
        require("attach", "patience", patience, 1, 1_000_000, whole=True)
        self.select, self.patience = select, patience
        self.weights: Leaves | None = None
        self.buffers: Buffers = {}
        self.readings: tuple[int, ...] = ()
        self.score, self.single = math.nan, math.nan
        self.better: Better | None = None
        self.signal = ""
        self.since, self.count, self.unknown = 0, 0, 0

    def agree_on(self, asked: Asked) -> None:
        """Hold the user to one measure: scores of two measures cannot be compared.

        Raises:
            SettingError: it is another measure than before.

        """
        if self.better is not None and (self.better, self.signal) != (asked.better, asked.signal):
            raise SettingError(
                f"validate is now asked for {asked.signal}, {asked.better} is better",
                f"this session's weights were judged by {self.signal}, {self.better} is better",
                "Keep to one measure in one training",
            )
        self.better, self.signal = asked.better, asked.signal

    def trial(self, now: Leaves) -> Leaves | None:
        """Return the mean that this reading would join; None where there is nothing to join yet."""
        if self.select != "average" or self.weights is None:
            return None
        return self.weights.lerp(now.detach(), 1 / (len(self.readings) + 1))

    def blend(self, now: Buffers) -> Buffers:
        """Return the running statistics of the mean; what is not a running statistic is the latest."""
        share = 1 / (len(self.readings) + 1)
        return {
            name: torch.lerp(self.buffers[name], b, share) if is_statistic(name) and name in self.buffers else b
            for name, b in now.items()
        }

    def admits(self, signals: Mapping[str, float]) -> bool:
        """Return whether a reading with these signals may be kept."""
        return not isinstance(self.select, Within) or self.select.admits(signals)

    @property
    def limited(self) -> set[str]:
        """The signals that have a limit."""
        return {name.split("/")[0] for name in self.select.limits} if isinstance(self.select, Within) else set()

    def check(self, known: frozenset[str]) -> None:
        """Refuse a limit on what nothing measures.

        Raises:
            RecipeError: there is one.

        """
        for name in sorted(self.limited - known):
            raise RecipeError(
                f"Within({name}=…) was given, and nothing measures {name!r}",
                f"signals are {listed(known)}",
                nearest(name, known) or "Name one of these, or attach with signals=[…] of your own",
            )

    @property
    def refused_all(self) -> str:
        """The limits, in words, where readings were taken and none stayed within; else empty."""
        if not isinstance(self.select, Within) or self.weights is not None or not self.count:
            return ""
        return ", ".join(f"{name} ≤ {limit:g}" for name, limit in self.select.limits.items())

    def take(self, now: Leaves, buffers: Buffers, trial: Leaves | None, value: float, joined: float) -> bool:
        """Keep what is best; return whether the training should end."""
        self.count += 1
        if math.isnan(value):
            self.unknown += 1
            return False
        better = self._better
        self.single = value if math.isnan(self.single) or better(value, self.single) else self.single
        improved = math.isnan(self.score) or better(value, self.score) or better(joined, self.score)
        if trial is not None and math.isfinite(joined) and not (better(self.score, joined) or better(value, joined)):
            self.keep(trial, self.blend(buffers), (*self.readings, self.count), copy=False)
            self.score = joined
        elif math.isfinite(value) and (math.isnan(self.score) or better(value, self.score)):
            self.keep(now, buffers, (self.count,))
            self.score = value
        self.since = 0 if improved else self.since + 1
        return self.since >= self.patience

    def keep(self, weights: Leaves, buffers: Buffers, readings: tuple[int, ...] = (), *, copy: bool = True) -> None:
        """Keep these weights and the statistics that go with them."""
        self.weights = weights.clone(owned=True) if copy else weights.like(weights.tensors, owned=True)
        self.buffers = {name: b.detach().clone() for name, b in buffers.items()}
        self.readings = readings

    def take_in(self, leaves: Leaves) -> None:
        """Let leaves that have joined the training stand in the kept weights as they are now."""
        if self.weights is not None:
            kept = self.weights
            self.weights = Leaves.of({n: kept[n] if n in kept else p.detach().clone() for n, p in leaves.items()})
            self.weights.owned = True

    def _better(self, one: float, other: float) -> bool:
        return one < other if self.better == "lower" else one > other

    @property
    def chosen(self) -> Chosen | None:
        """What will be served; None before the first number, or where a controller chooses."""
        known = self.weights is not None and self.readings
        return Chosen(self.readings, self.signal, self.score, self.single) if known else None

    def state_dict(self) -> dict[str, Any]:
        """Return everything that changes, as plain values and copies of tensors."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        weights = None if self.weights is None else dict(self.weights.clone())
        return {**plain, "weights": weights, "buffers": {n: b.clone() for n, b in self.buffers.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state_dict``."""
        for name in _PLAIN:
            setattr(self, name, state[name])
        self.readings = tuple(self.readings)
        weights = state["weights"]
        self.weights = None if weights is None else Leaves.of(weights, owned=True).clone()
        self.buffers = {n: b.clone() for n, b in state["buffers"].items()}


_PLAIN = ("score", "single", "better", "signal", "since", "count", "unknown", "readings")


def is_statistic(name: str) -> bool:
    """Return whether a buffer is a running mean or variance, which is averaged like weights."""
    return name.rsplit(".", 1)[-1] in ("running_mean", "running_var")
