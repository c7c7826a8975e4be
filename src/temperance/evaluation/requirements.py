"""What a model must reach: ``accuracy>=0.9,ece<=0.05,robust@0.1>=0.6``, judged by the cautious end or by the point."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from temperance.records.errors import SettingError, nearest
from temperance.records.measurement import Measurement

By = Literal["interval", "point"]
_FORM = re.compile(r"^\s*([A-Za-z_][\w@./+-]*)\s*(>=|<=)\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*(%?)\s*$")
EXAMPLE = "accuracy>=0.9,ece<=0.05"


@dataclass(frozen=True)
class Requirement:
    """One bound: the figure ``name`` is at least, or at most, ``bound``."""

    name: str
    side: Literal[">=", "<="]
    bound: float

    def __str__(self) -> str:
        return f"{self.name}{self.side}{self.bound:g}"


@dataclass(frozen=True)
class Verdict:
    """What became of one requirement.

    Attributes:
        requirement: what was asked.
        met: whether it holds.
        judged: the number that was held against the bound: the cautious end of the interval, or the point.
        measured: the figure, or None where there is none.
        why: the reason in one sentence.

    """

    requirement: Requirement
    met: bool
    judged: float | None
    measured: Measurement | None
    why: str

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {
            "requirement": str(self.requirement), "met": self.met, "judged": self.judged, "why": self.why,
            "measured": None if self.measured is None else self.measured.to_dict(),
        }  # fmt: skip


def parse(text: str) -> tuple[Requirement, ...]:
    """Read requirements, parted by commas.

    Raises:
        SettingError: empty, or a part that is no ``name>=number`` or ``name<=number``.

    """
    found = []
    for part in (one for one in text.split(",") if one.strip()):
        match = _FORM.match(part)
        if match is None:
            raise SettingError(f"the requirement {part.strip()!r}", f"name>=number or name<=number, e.g. {EXAMPLE}", "")
        name, side, number, percent = match.groups()
        try:
            bound = float(number) / (100 if percent else 1)
            if not math.isfinite(bound):
                raise ValueError(number)
        except ValueError as fault:
            raise SettingError(f"the bound {number!r} of {name!r}", "a number", f"e.g. {EXAMPLE}") from fault
        found.append(Requirement(name, ">=" if side == ">=" else "<=", bound))
    if not found:
        raise SettingError(f"the requirements {text!r}", f"at least one, e.g. {EXAMPLE}", "")
    return tuple(found)


def judge(
    wanted: Sequence[Requirement],
    figures: Mapping[str, Measurement],
    *,
    by: By = "interval",
    missing: Mapping[str, str] | None = None,
) -> tuple[Verdict, ...]:
    """Hold figures against requirements; a figure that was not measured fails.

    Args:
        wanted: the requirements.
        figures: what was measured, by name.
        by: ``interval``: the whole interval must lie on the right side (its lower end for ``>=``, its upper end for
            ``<=``), so luck on few rows does not pass; ``point``: the estimate alone.
        missing: why a figure was not measured, by name.

    """
    return tuple(_judged(one, figures, by, missing or {}) for one in wanted)


def _judged(one: Requirement, figures: Mapping[str, Measurement], by: By, missing: Mapping[str, str]) -> Verdict:
    measured = figures.get(one.name)
    if measured is None:
        near = nearest(one.name, figures)
        why = (missing.get(one.name) or "no such figure was measured").rstrip(".")
        return Verdict(one, False, None, None, f"{one}: {why}.{' ' + near if near else ''}")
    end = measured.low if one.side == ">=" else measured.high
    if by == "interval" and end is None:
        return Verdict(one, False, None, measured, f"{one}: it has no interval here; --by point would judge the value.")
    value = measured.value if by == "point" or end is None else end
    met = value >= one.bound if one.side == ">=" else value <= one.bound
    doubted = "not trustworthy" in " ".join(measured.flags)
    if doubted:
        met = False
    what = f"{one.name} is {measured.value:.4g}"
    if measured.low is not None and measured.high is not None:
        what += f" (between {measured.low:.4g} and {measured.high:.4g}, from {measured.n:,} rows)"
    held = "its value" if by == "point" else ("its lower end" if one.side == ">=" else "its upper end")
    told = f"{what}; {held} {value:.4g} is {'' if value_meets(value, one) else 'not '}{one.side} {one.bound:g}"
    return Verdict(one, met, float(value), measured, f"{told}{'; the figure is not trustworthy' if doubted else ''}.")


def value_meets(value: float, one: Requirement) -> bool:
    """Say whether a number keeps a bound."""
    return value >= one.bound if one.side == ">=" else value <= one.bound
