"""Attacks on texts: slips in the few words that matter most, and words of one's own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.adversarial.words import reword
from temperance.evaluation.aspects.base import Case, Reading
from temperance.evaluation.aspects.robust_figures import PREFIXES, UPPER, Plan, answers, budgets, own, share
from temperance.records.measurement import Measurement

USUAL = {"quick": (1.0,), "standard": (1.0, 2.0, 4.0), "publish": (1.0, 2.0, 4.0, 8.0)}
MOST = {"quick": 60, "standard": 200, "publish": 500}  # rows: each word of each is asked


def measure(case: Case, index: NDArray[np.int64], plan: Plan) -> Reading:
    """Attack the texts of ``index``; numbers and categories stay as they are.

    Shapes: index (n,).
    """
    index = index[: MOST[case.tier]]
    rows, y = case.table.rows.take(index), np.asarray(case.table.target[index], dtype=np.int64)
    said = answers(case)
    ask = lambda changed: np.log(np.maximum(said(changed), 1e-300))  # noqa: E731
    synonyms = own(case).get("synonyms")
    figures: list[Measurement] = []
    details: dict[str, Any] = {}
    examples: dict[str, NDArray[Any]] = {}
    told: list[str] = []
    not_done: list[tuple[str, str]] = [("attacks on the vectors behind words", "no reader could type what they find")]
    for count in budgets(case, "words", USUAL[case.tier]):
        name = f"{PREFIXES['words']}{count:g}"
        if figures and case.seconds_left == 0:
            not_done.append((name, "no time left"))
            continue
        found = reword(ask, rows, y, words=max(1, int(count)), synonyms=synonyms, seed=case.seed)
        how = (
            f"{UPPER}; slips in at most {int(count)} words of a row, the most telling first, greedily; Wilson interval"
        )
        figures.append(share(case, index, name, found.survived, how=how))
        details[name] = found.to_dict()
        examples[name] = found.survived.astype(np.int8)
        if len(figures) == 1:
            told.append(
                f"Of {len(y)} texts {int(found.right.sum())} are answered rightly as they are; with a slip in "
                f"{'one word' if count == 1 else f'{int(count)} words'}, {int(found.survived.sum())} stay right."
            )
            told += _example(case, index, rows.text, found.rows.text, found.right & ~found.survived)
    return Reading("", tuple(figures), tuple(told), {"texts": details}, examples, index, tuple(not_done), (), case.seed)


def _example(
    case: Case, index: NDArray[np.int64], before: NDArray[np.object_] | None, after: NDArray[np.object_] | None,
    broken: NDArray[np.bool_],
) -> list[str]:  # fmt: skip
    if before is None or after is None or not broken.any():
        return []
    i = int(np.flatnonzero(broken)[0])
    for old, new in zip(before[i], after[i], strict=True):
        if old != new and old is not None and new is not None:
            pairs = [(a, b) for a, b in zip(old.split(" "), new.split(" "), strict=False) if a != b]
            return [f"Row {int(index[i])}: {pairs[0][0]!r} as {pairs[0][1]!r} changes the answer."] if pairs else []
    return []
