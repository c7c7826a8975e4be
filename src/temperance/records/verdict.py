"""The decision of a drift test or of a guard, with its evidence."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Verdict:
    """What a detector decided after the traffic that it has seen.

    Attributes:
        channel: what was watched: ``feature:age``, ``prediction``, ``missing:age`` …
        state: ``calm``, ``watch`` (evidence is building) or ``alarm``.
        evidence: the test statistic (an e-value for sequential tests).
        threshold: the evidence at which it alarms.
        n: requests seen since the last reset.
        sentence: one plain sentence.
        details: further figures.

    """

    channel: str
    state: Literal["calm", "watch", "alarm"]
    evidence: float
    threshold: float
    n: int
    sentence: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return asdict(self)
