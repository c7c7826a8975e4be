"""One result of the audit: a state, its evidence, a plain sentence, and how well the check works on this data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from temperance.records.restore import known

State = Literal["fix_before_use", "look_at_this", "no_problem_found", "not_tested"]
STATES: dict[State, str] = {
    "fix_before_use": "Fix before use",
    "look_at_this": "Look at this",
    "no_problem_found": "No problem found by this test",
    "not_tested": "Not tested",
}
BLIND = 0.5  # share of planted faults that a check must find before its silence says anything


def is_blind(confidence: dict[str, Any]) -> bool:
    """Return whether so few of the faults planted in this data were found (or none could be) that silence is empty."""
    planted, found = confidence.get("planted"), confidence.get("found")
    if not isinstance(planted, int | float) or not isinstance(found, int | float):
        return False
    return planted <= 0 or found < BLIND * planted


def state_of(row: dict[str, Any]) -> str:
    """Return the state of a finding as it may be told: the silence of a blind check is no all-clear."""
    state = str(row.get("state", ""))
    return "not_tested" if state == "no_problem_found" and is_blind(row.get("confidence") or {}) else state


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        id: unique within a study, ``check`` or ``check:subject``.
        check: name of the check, e.g. ``duplicates``.
        state: one of the four states; the words are in ``STATES``.
        title: one plain sentence (what we saw).
        why: why it matters, one plain sentence.
        evidence: ``{"n": rows examined, "k": rows or columns hit, "examples": [], "columns": [], "rows": []}``.
        effect: ``{"metric", "before", "after", "low", "high"}`` where the consequence was measured, else empty.
        confidence: what came of faults planted in a copy of the data, ``{"self_test": sentence, "planted", "found",
            "false_alarms", "false_alarms_of": clean cases, "kinds": [{"kind", "planted", "found"}], "unseen": kinds
            missed here}``, beside ``model_quality`` and ``gate_reason``.
        thresholds: the limits that decided the state.
        action: what to do now, in order.
        cannot_see: what this test cannot see.
        version: version of the check.
        cost_seconds: time it took.
        references: sources, as short citations.

    """

    id: str
    check: str
    state: State
    title: str
    why: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    effect: dict[str, Any] = field(default_factory=dict)
    confidence: dict[str, Any] = field(default_factory=dict)
    thresholds: dict[str, float] = field(default_factory=dict)
    action: tuple[str, ...] = ()
    cannot_see: str = ""
    version: int = 1
    cost_seconds: float = 0.0
    references: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        row = asdict(self)
        row["action"], row["references"] = list(self.action), list(self.references)
        return row

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Finding:
        """Rebuild from ``to_dict``; unknown keys are ignored."""
        kept = known(cls, row)
        for key in ("action", "references"):
            kept[key] = tuple(kept.get(key, ()))
        return cls(**kept)
