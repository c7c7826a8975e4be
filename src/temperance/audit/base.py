"""The grammar of the room: a check is frozen settings and one verb, ``inspect``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from temperance.audit.context import Context
from temperance.records.finding import Finding, State, is_blind
from temperance.records.registry import Registry


@dataclass(frozen=True)
class Check(ABC):
    """One question asked of the data.

    A check that rests on statistics also tests itself: it plants known faults in a copy of the data, runs, and puts
    what came back into ``Finding.confidence`` as ``Planting.to_dict`` says it. Where it found fewer than half of them
    its silence is "not tested"; kinds that it missed are named among what it cannot see; where it blames more clean
    cases than ``false_alarm_rate``, what it found is a question and not a fault to fix.

    Class attributes:
        name: name of the check in a ``Finding``.
        label: what it looks for, in two or three plain words.
        rank: order of running; cheap and important ones first.
        sizes: counts of rows it may be run on, largest first; a budget picks one.
        needs_columns: cannot run on a table that has only an answer.
        version: raised when a result may change.
        why: why the question matters, one plain sentence.
        cannot_see: what it cannot see.
        references: its sources.
        false_alarm_rate: share of clean cases that it may blame at most; stated, and measured by
            ``benchmarks/audit_proof.py``.
        counts: it only counts, so no fault can be planted that it could miss.

    """

    name: ClassVar[str]
    label: ClassVar[str]
    rank: ClassVar[int] = 100
    sizes: ClassVar[tuple[int | None, ...]] = (None,)
    needs_columns: ClassVar[bool] = True
    version: ClassVar[int] = 1
    why: ClassVar[str] = ""
    cannot_see: ClassVar[str] = ""
    references: ClassVar[tuple[str, ...]] = ()
    false_alarm_rate: ClassVar[float] = 0.05
    counts: ClassVar[bool] = False

    @abstractmethod
    def inspect(self, context: Context) -> list[Finding] | Finding:
        """Look at the data and return what was found, also when that is nothing."""

    def unsuited(self, context: Context) -> str:
        """Return why this data cannot be checked in this way, or an empty string."""
        return ""

    def obstacle(self, context: Context) -> str:
        """Return why the check cannot run here, or an empty string; ``unsuited`` and what holds for all checks."""
        if self.needs_columns and not context.is_images and not context.schema.columns:
            return "the data has no columns beside the answer."
        return self.unsuited(context)

    def estimate(self, context: Context, rows: int) -> float:
        """Return the seconds that it takes on ``rows`` rows on the reference machine (see ``pace``)."""
        return 0.02 + 2e-7 * rows * len(context.schema.columns)

    def finding(self, state: State, title: str, *, subject: str = "", **fields: Any) -> Finding:
        """Build a ``Finding`` of this check; NumPy values become plain ones.

        A check that found fewer than half of the faults planted in this data has not tested it.
        """
        defaults: dict[str, Any] = {
            "why": self.why,
            "cannot_see": self.cannot_see,
            "references": self.references,
            "version": self.version,
        }
        told = {**defaults, **fields}
        identity = f"{self.name}:{subject}" if subject else self.name
        confidence = fields.get("confidence", {})
        if state == "no_problem_found" and is_blind(confidence):
            reason = (
                f"it found only {confidence['found']} of {confidence['planted']} faults that were planted in a copy."
                if confidence["planted"]
                else "no fault could be planted here, so it could not be tried."
            )
            told["confidence"] = {**confidence, "gate_reason": reason}
            state, title = "not_tested", f"Not tested for {self.label}: {reason}"
        if confidence.get("unseen"):
            told["cannot_see"] = f"{told['cannot_see']} In this data also: {', '.join(confidence['unseen'])}."
        if state == "fix_before_use" and self._blames_clean_ones(confidence):
            state, title = "look_at_this", f"{title} This check also blames clean cases here, so take it as a question."
        return Finding(identity, self.name, state, title, **{k: plain(v) for k, v in told.items()})

    def _blames_clean_ones(self, confidence: dict[str, Any]) -> bool:
        clean, blamed = confidence.get("false_alarms_of") or 0, confidence.get("false_alarms") or 0
        return clean >= 20 and blamed > self.false_alarm_rate * clean

    def not_tested(self, reason: str, **fields: Any) -> Finding:
        """Build the finding of a check that could not run, with the reason in words."""
        confidence = {"gate_reason": reason, **fields.pop("confidence", {})}
        return self.finding("not_tested", f"Not tested for {self.label}: {reason}", confidence=confidence, **fields)


def plain(value: Any) -> Any:
    """Return ``value`` with NumPy scalars and arrays turned into Python's own; tuples stay tuples."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def count_of(k: int, noun: str, plural: str = "") -> str:
    """Return ``1 row`` or ``3 rows``, with a comma in thousands."""
    return f"{k:,} {noun if k == 1 else plural or noun + 's'}"


CHECKS: Registry[Check] = Registry("check", "temperance.checks")
