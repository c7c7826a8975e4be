"""Classes that are rare, or a numeric target that is mostly one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from temperance.audit.base import CHECKS, Check, count_of
from temperance.audit.context import Context
from temperance.records.finding import Finding, State


@CHECKS.add
@dataclass(frozen=True)
class Imbalance(Check):
    """Count the answers. A count needs no self-test.

    Args:
        ratio: largest class / smallest class from which the owner should look.
        few: rows of a class below which its score cannot be trusted.
        scarce: rows of a class below which it can hardly be learned.
        single: share of one value of a numeric target from which the owner should look.

    """

    ratio: float = 10.0
    few: int = 30
    scarce: int = 10
    single: float = 0.5

    name: ClassVar[str] = "imbalance"
    label: ClassVar[str] = "rare answers"
    rank: ClassVar[int] = 10
    needs_columns: ClassVar[bool] = False
    why: ClassVar[str] = "A model can look good by always giving the common answer, and still miss every rare case."
    counts: ClassVar[bool] = True
    cannot_see: ClassVar[str] = "Whether the shares in this file are the shares that the model will meet in use."

    def estimate(self, context: Context, rows: int) -> float:
        """Return seconds: one pass over the target."""
        return 0.002 + 1e-8 * rows

    def inspect(self, context: Context) -> Finding:
        """Compare counts with the limits."""
        return self._numbers(context) if context.is_regression else self._classes(context)

    def _classes(self, context: Context) -> Finding:
        names = context.schema.target.classes
        counts = np.bincount(context.labels(context.development).astype(np.int64), minlength=len(names))
        order = np.argsort(counts, kind="stable")
        rare, common = int(order[0]), int(order[-1])
        smallest, largest, total = int(counts[rare]), int(counts[common]), int(counts.sum())
        table, test = context.testing
        seen = np.unique(np.asarray(table.target)[test])
        absent = [names[c] for c in range(len(names)) if c not in seen] if len(test) else []
        evidence: dict[str, Any] = {
            "n": total,
            "k": int((counts < self.few).sum()),
            "examples": [{"answer": names[c], "rows": int(counts[c]), "share": counts[c] / total} for c in order[:20]],
            "absent_from_test": absent[:20],
        }
        thresholds = {"ratio": self.ratio, "few": self.few, "scarce": self.scarce}
        say = f"The rarest answer, '{names[rare]}', has {count_of(smallest, 'row')} of {total:,}."
        state: State = "no_problem_found"
        if smallest < self.scarce:
            state, say = "fix_before_use", f"{say} That is too few to learn from."
        elif smallest < self.few or largest >= self.ratio * smallest or absent:
            state = "look_at_this"
        if absent:
            say += f" The test rows hold no '{absent[0]}' at all."
        action: tuple[str, ...] = (
            "Read the score of each answer by itself, not only the overall score.",
            f"Collect more rows with '{names[rare]}', or join rare answers into one.",
        )
        action = () if state == "no_problem_found" else action
        return self.finding(state, say, evidence=evidence, thresholds=thresholds, action=action)

    def _numbers(self, context: Context) -> Finding:
        target = context.labels(context.development).astype(np.float64)
        values, counts = np.unique(target, return_counts=True)
        top = int(counts.argmax())
        share = counts[top] / len(target)
        evidence = {
            "n": len(target),
            "k": int(counts[top]),
            "examples": [{"answer": float(values[top]), "rows": int(counts[top]), "share": share}],
        }
        say = f"The commonest answer, {values[top]:g}, has {count_of(int(counts[top]), 'row')} of {len(target):,}."
        bad = share >= self.single
        action = ("Ask whether this value means 'none' or 'not known', and treat those rows apart.",) if bad else ()
        state: State = "look_at_this" if bad else "no_problem_found"
        return self.finding(state, say, evidence=evidence, thresholds={"single": self.single}, action=action)
