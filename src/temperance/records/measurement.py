"""A number with an interval and the count that it rests on."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from temperance.records.restore import known


@dataclass(frozen=True)
class Measurement:
    """A measured value with its interval.

    Attributes:
        name: what was measured, e.g. ``accuracy`` or ``corruption/noise/3``.
        value: the estimate, in ``unit``.
        low: lower end of the interval, or None where none is defined.
        high: upper end of the interval, or None.
        n: count of examples (or repeats) it rests on.
        unit: unit of the value; empty for a pure number. Probabilities are in [0, 1].
        convention: the definition used where several exist, e.g. ``15 equal-mass bins``.
        better: which direction is better.
        confidence: confidence level of the interval.
        flags: reasons for doubt, e.g. ``below the noise floor``.

    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    n: int = 0
    unit: str = ""
    convention: str = ""
    better: Literal["higher", "lower", "neither"] = "higher"
    confidence: float = 0.95
    flags: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields; a number that is not finite becomes null."""
        row = asdict(self)
        for key in ("value", "low", "high"):
            if row[key] is not None and not math.isfinite(row[key]):
                row[key] = None
        row["flags"] = list(self.flags)
        return row

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Measurement:
        """Rebuild from ``to_dict``; unknown keys are ignored, so newer files can be read."""
        kept = known(cls, row)
        kept["value"] = math.nan if kept.get("value") is None else kept["value"]
        kept["flags"] = tuple(kept.get("flags", ()))
        return cls(**kept)
