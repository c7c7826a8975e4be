"""Identical inputs with different answers: certain evidence, no model needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.audit.base import CHECKS, Check, count_of
from temperance.audit.context import Context
from temperance.audit.fingerprints import fingerprints, repeated
from temperance.audit.planting import Kind, Planting
from temperance.records.finding import Finding


@CHECKS.add
@dataclass(frozen=True)
class Conflicts(Check):
    """Find rows whose inputs are identical but whose answers differ.

    For a number as target, answers differ when their range exceeds ``spread`` standard deviations of the target.
    """

    spread: float = 1.0
    planted: int = 20

    name: ClassVar[str] = "conflicts"
    label: ClassVar[str] = "conflicting answers"
    rank: ClassVar[int] = 30
    why: ClassVar[str] = "No model can get all of these rows right, because the inputs do not tell them apart."
    cannot_see: ClassVar[str] = "Rows that differ a little and should have the same answer."

    def inspect(self, context: Context) -> Finding:
        """Group equal rows by fingerprint and compare their answers."""
        index = context.development
        hashes = context.once("hashes", lambda: fingerprints(context.table.rows))[index]
        target = context.labels(index)
        first = repeated(hashes)
        hit = self._differing(first, target)
        confidence = self._self_test(context, first, target)
        thresholds = {"spread": self.spread} if context.is_regression else {}
        evidence = {"n": len(index), "k": int(hit.sum()), "rows": index[hit][:1000], "examples": []}
        if not hit.any():
            title = "No two rows with the same inputs have different answers."
            return self.finding(
                "no_problem_found", title, evidence=evidence, confidence=confidence, thresholds=thresholds
            )
        evidence["examples"] = _examples(context, index, first, hit)
        k = int(hit.sum())
        title = f"{count_of(k, 'row')} of {len(index):,} share their inputs with a row that has another answer."
        action = (
            "Look at the examples. Correct the answers that are wrong.",
            "If both answers are right, a column that tells these rows apart is missing.",
        )
        return self.finding(
            "fix_before_use" if context.is_images else "look_at_this",
            title,
            evidence=evidence,
            effect={} if context.is_regression else _ceiling(first, target),
            confidence=confidence,
            thresholds=thresholds,
            action=action,
        )

    def _differing(self, first: NDArray[np.int64], target: NDArray[Any]) -> NDArray[np.bool_]:
        low, high = target.copy(), target.copy()
        np.minimum.at(low, first, target)
        np.maximum.at(high, first, target)
        limit = self.spread * float(np.std(target)) if target.dtype.kind == "f" else 0.0
        hit: NDArray[np.bool_] = (high[first] - low[first]) > limit
        return hit

    def _self_test(self, context: Context, first: NDArray[np.int64], target: NDArray[Any]) -> dict[str, Any]:
        """Copy rows, best those that occur once, give the copies another answer, and count how many come back."""
        single = np.flatnonzero(np.bincount(first, minlength=len(first)) == 1)
        single = single if len(single) else np.unique(first[~self._differing(first, target)])
        if not len(single) or len(np.unique(target)) < 2:
            return Planting((), 0, 0, note="Each row meets another answer, so no test copy could be made.").to_dict()
        chosen = context.generator(self.name).choice(single, size=min(self.planted, len(single)), replace=False)
        if target.dtype.kind == "f":
            other = target[chosen] + (2 * self.spread + 1) * np.std(target)
        else:
            other = (target[chosen] + 1) % (int(target.max()) + 1)
        both = np.concatenate([first, chosen])
        hit = self._differing(both, np.concatenate([target, other]))
        kind = Kind("copies with another answer", len(chosen), int(hit[len(first) :].sum()))
        untouched = np.setdiff1d(single, chosen)
        return Planting((kind,), len(untouched), int(hit[untouched].sum())).to_dict()


def _ceiling(first: NDArray[np.int64], target: NDArray[Any]) -> dict[str, Any]:
    """Return the best accuracy that any model can reach on these rows: the commonest answer of each group."""
    pairs, counts = np.unique(np.stack([first, target.astype(np.int64)]), axis=1, return_counts=True)
    best = np.zeros(len(first), dtype=np.int64)
    np.maximum.at(best, pairs[0], counts)
    return {"metric": "highest accuracy possible on these rows", "before": 1.0, "after": best.sum() / len(first)}


def _examples(
    context: Context, index: NDArray[np.int64], first: NDArray[np.int64], hit: NDArray[np.bool_]
) -> list[Any]:
    target, classes = context.labels(index), context.schema.target.classes
    out = []
    for group in np.unique(first[hit])[:20]:
        rows = np.flatnonzero(first == group)[:6]
        answers = [classes[int(target[r])] if classes else float(target[r]) for r in rows]
        out.append({"rows": index[rows], "answers": answers})
    return out
