"""What copies between training and test rows do to the score; shared by the checks for tables and for images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.audit.context import Context
from temperance.audit.crossfit import forest, probabilities, wilson
from temperance.audit.features import tree_matrix
from temperance.records.finding import State
from temperance.records.table import Table

Ints = NDArray[np.int64]


def effect_of_copies(
    context: Context, table: Table, test: Ints, copied: NDArray[np.bool_], partners: Ints, *, limit: int = 4000
) -> dict[str, Any]:
    """Score the test rows with and without copies, by a forest that can learn rows by heart (so: the largest effect).

    Args:
        context: the data that is audited.
        table: the table of the test rows.
        test: (q,) test rows that were compared.
        copied: (q,) True where a development row is a copy.
        partners: rows of ``context.table`` that they are copies of.
        limit: most rows to train on and most rows to score of either kind; the partners among them always.

    """
    generator = context.generator("effect of copies")
    known = np.asarray(table.target)[test]
    known = np.isfinite(known) if known.dtype.kind == "f" else known >= 0
    with_copy, without = test[copied & known][:limit], test[~copied & known][:limit]
    if len(without) < 20 or not len(with_copy):
        return {}
    partners = np.unique(partners[known[copied]][: limit // 2])
    others = np.setdiff1d(context.development, partners)
    rest = generator.choice(others, size=min(len(others), limit - len(partners)), replace=False)
    train = np.sort(np.concatenate([partners, rest]))
    target = context.labels(train)
    classes = len(context.schema.target.classes)
    if classes and len(np.unique(target)) < 2:
        return {}
    model = forest(classify=classes > 0, seed=context.seed, trees=30).fit(
        tree_matrix(context.table.rows.take(train)), target
    )

    def errors(rows: Ints) -> NDArray[np.float64]:
        X, truth = tree_matrix(table.rows.take(rows)), np.asarray(table.target)[rows]
        if classes:
            right: NDArray[np.float64] = (probabilities(model, X, classes).argmax(axis=1) == truth).astype(np.float64)
            return right
        off: NDArray[np.float64] = np.abs(model.predict(X) - truth)
        return off

    good, honest = errors(with_copy), errors(without)
    share = float(copied.mean())
    low, high = _interval(honest, is_share=classes > 0)
    return {
        "metric": "accuracy of a quick model" if classes else "mean error of a quick model",
        "before": share * good.mean() + (1 - share) * honest.mean(),
        "after": honest.mean(),
        "low": low,
        "high": high,
    }


def _interval(values: NDArray[np.float64], *, is_share: bool) -> tuple[float, float]:
    if is_share:
        return wilson(float(values.sum()), len(values))
    half = 1.96 * float(values.std()) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def state_of_copies(k: int, share: float, natural: float, effect: dict[str, Any]) -> State:
    """Return the state: fix when the score moves out of its interval, or when copies are far above the natural rate."""
    if k == 0:
        return "no_problem_found"
    moved = bool(effect) and not effect["low"] <= effect["before"] <= effect["high"]
    return "fix_before_use" if moved or (share >= 0.01 and share > 3 * natural + 0.005) else "look_at_this"


WRONG_ANSWER = "The model learned another answer for these rows, so its test score looks worse than it will be in use."
BOTH_ANSWERS = (
    "The model has already seen these rows, some with the same answer and some with another, so its test score is not "
    "what it will be in use."
)


def other_answers(context: Context, table: Table, test: Ints, copied: NDArray[np.bool_], partners: Ints) -> int:
    """Return how many copies carry another answer than the row that they are a copy of; classes only.

    Shapes: test, copied and partners (q,).
    """
    if context.is_regression or not copied.any():
        return 0
    mine = np.asarray(table.target)[test[copied]]
    theirs = np.asarray(context.table.target)[partners[copied]]
    return int(((mine != theirs) & (mine >= 0) & (theirs >= 0)).sum())


def why_of_copies(usual: str, k: int, other: int) -> str:
    """Return what copies do to the score: those with the same answer flatter it, those with another spoil it."""
    if not other:
        return usual
    return WRONG_ANSWER if other == k else BOTH_ANSWERS


def sentence_of_answers(k: int, other: int) -> str:
    """Return how many of the copies carry another answer, or an empty string."""
    if not other:
        return ""
    if other == k:
        return " Each carries another answer than the row it copies." if k > 1 else " It carries another answer."
    return f" {other:,} of them carry another answer than the row they copy."


def sentence_of_effect(effect: dict[str, Any]) -> str:
    """Return what the copies did to the score in plain words, or an empty string."""
    if not effect:
        return ""
    if effect["metric"].startswith("accuracy"):
        before, after = round(100 * effect["before"]), round(100 * effect["after"])
        return f" With the copies a quick model gets {before} of 100 right, without them {after}."
    return f" With the copies a quick model is off by {effect['before']:.3g}, without them by {effect['after']:.3g}."
