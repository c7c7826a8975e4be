"""Which of the forms that passed the gate ships for a target, and what a user asked for at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from temperance.deployment.export.gate import Candidate

NEAR = 1.1  # times that differ by less are the same: of these the smaller file ships


@dataclass(frozen=True)
class Limits:
    """What the user asked for; None: no limit.

    Attributes:
        latency_ms: of one row, in process, on this machine.
        bytes: of the model.

    """

    latency_ms: float | None = None
    bytes: float | None = None

    def refusal(self, one: Candidate) -> str:
        """Return in words what is above a limit; empty where nothing is."""
        if self.latency_ms is not None and one.latency_1_ms is not None and one.latency_1_ms > self.latency_ms:
            return f"a row takes {one.latency_1_ms:.3g} ms; at most {self.latency_ms:g} (--max-latency)"
        if self.bytes is not None and one.bytes is not None and one.bytes > self.bytes:
            return f"it has {one.bytes:,} bytes; at most {self.bytes:,.0f} (--max-size)"
        return ""


def within(candidates: Sequence[Candidate], limits: Limits) -> list[Candidate]:
    """Return the candidates, those above a limit refused."""
    return [one if one.refused else replace(one, refused=limits.refusal(one)) for one in candidates]


def fastest(candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the one that answers a row soonest; among those within 10 % of it the smallest, then the first."""
    free = [one for one in candidates if not one.refused]
    if not free:
        return None
    best = min(one.latency_1_ms or 0.0 for one in free)
    return min((one for one in free if (one.latency_1_ms or 0.0) <= NEAR * best), key=lambda one: one.bytes or 0)


def smallest(candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the one of the fewest bytes; among those within 10 % of it the surest, then the fastest."""
    free = [one for one in candidates if not one.refused]
    if not free:
        return None
    best = min(one.bytes or 0 for one in free)
    near = [one for one in free if (one.bytes or 0) <= NEAR * best]
    return min(near, key=lambda one: (one.tolerance, one.latency_1_ms or 0.0))
