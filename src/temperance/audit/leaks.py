"""Single columns that give the answer away: always a question to the owner, never a silent drop."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.audit.base import CHECKS, Check
from temperance.audit.context import Context
from temperance.audit.crossfit import assign_folds, auc, forest, hits_of, out_of_fold, r2, separation
from temperance.audit.features import tree_matrix
from temperance.audit.planting import Kind, Planting
from temperance.records.finding import Finding
from temperance.records.schema import Schema

Ints = NDArray[np.int64]
AFTER_THE_EVENT = re.compile(
    r"(?:^|[^a-z])(?:result|outcome|status|final|after|post|close[ds]?|closing|end(?:ed|ing)?|resol\w*|cancel\w*|refund\w*|"
    r"paid|payment_received|settle\w*|recover\w*|discharg\w*|death|died|alive|dead|surviv\w*|diagnos\w*|decision|approved|"
    r"rejected|label|target|score[ds]?|predict\w*|duration|actual|total_cost|churn\w*|left|exit\w*)(?:$|[^a-z])"
)


@CHECKS.add
@dataclass(frozen=True)
class Leaks(Check):
    """Score each column alone by out-of-fold predictions of one small tree (categories: one leaf each).

    The score is the ROC AUC (mean of one against the rest for several classes) or R² for a numeric target.
    *Almost certain*: score ≥ ``certain``, or the values map one to one to the answers. *Ask*: the balanced accuracy at
    the best cut ≥ ``ask`` (R² ≥ ``ask_r2``), which a strong sign with overlap does not reach as its area does; or the
    column has ≥ ``share`` of the gain of a forest on all columns, leads the second by ``lead`` and scores ≥ ``floor``;
    or its name speaks of the time after the event, it leads, and it scores ≥ ``named``.
    """

    certain: float = 0.995
    ask: float = 0.96
    ask_r2: float = 0.95
    share: float = 0.95
    lead: float = 0.10
    floor: float = 0.80
    named: float = 0.65
    folds: int = 4
    shown: int = 5

    name: ClassVar[str] = "leaks"
    label: ClassVar[str] = "columns that give the answer away"
    rank: ClassVar[int] = 50
    version: ClassVar[int] = 2
    false_alarm_rate: ClassVar[float] = 0.15  # of sets: a very strong sign cannot be told from a leak with errors
    sizes: ClassVar[tuple[int | None, ...]] = (5000, 2000, 1000)
    why: ClassVar[str] = "If it is filled in after the outcome, the model looks good here and fails when it is used."
    cannot_see: ClassVar[str] = "Columns that give the answer away only together, and leaks hidden under much noise."
    references: ClassVar[tuple[str, ...]] = ("Kapoor and Narayanan (2023), arXiv:2207.07048",)

    def unsuited(self, context: Context) -> str:
        """Pixels are not columns."""
        return "images have no columns to test one by one." if context.is_images else ""

    def estimate(self, context: Context, rows: int) -> float:
        """Return seconds: four trees per column, the planted columns, and one forest in four folds."""
        classes = max(len(context.schema.target.classes), 2)
        columns = len(context.schema.columns) + 6
        one = 0.004 + rows * (2.5e-6 + 3e-7 * classes)
        return columns * one + self.folds * rows * 2.5e-5

    def inspect(self, context: Context) -> list[Finding]:
        """Score every column, plant leaks, and ask about those above the limits."""
        index = context.sample(self.name)
        target = context.labels(index)
        X = tree_matrix(context.table.rows.take(index))
        names = [column.name for column in context.schema.columns if column.kind != "series"]  # numbers stand for these
        whole = len(context.schema.numeric)
        codes = whole + len(context.schema.categorical)
        folds = assign_folds(target, self.folds, context.generator(self.name))
        classes = len(context.schema.target.classes)
        both = [
            self.score(X[:, j], target, folds, classes=classes, is_code=whole <= j < codes) for j in range(len(names))
        ]
        scores, near = [score for score, _ in both], [close for _, close in both]
        predicted = self._predicted(context, X, target, folds, classes)
        full = auc(target, predicted) if classes else max(0.0, r2(target, predicted))
        levels = self._levels(names, X, target, scores, full, near)
        made = known_before(context.schema)
        levels = {j: level for j, level in levels.items() if names[j] not in made}
        confidence = {**self._self_test(context, target, folds, classes), "model_quality": full}
        metric = "R2" if context.is_regression else "AUC"
        fields: dict[str, Any] = {"thresholds": {"ask": self.ask, "almost_certain": self.certain}}
        hits = sorted(levels, key=lambda j: -scores[j])
        if not hits:
            best = int(np.argmax(scores))
            evidence = {
                "n": len(index),
                "k": 0,
                "columns": [],
                "examples": [_example(names[best], metric, scores[best])],
            }
            count = len({c.source or c.name for c in context.schema.columns})
            title = f"None of {count} columns gives the answer away by itself."
            return [self.finding("no_problem_found", title, evidence=evidence, confidence=confidence, **fields)]
        effects = {j: self._without(context, X, target, folds, j, predicted) for j in hits[: self.shown]}
        asked = [
            self._question(names[j], levels[j], metric, scores[j], len(index), full, confidence, effects[j])
            for j in hits[: self.shown]
        ]
        rest = [names[j] for j in hits[self.shown :]]
        if rest:
            evidence = {"n": len(index), "k": len(rest), "columns": rest}
            title = f"{len(rest)} more columns nearly give the answer away, such as '{rest[0]}'."
            action = ("Ask of each: is it known at the moment when the model is used?",)
            asked.append(
                self.finding("look_at_this", title, subject="others", evidence=evidence, action=action, **fields)
            )
        return asked

    def score(
        self, column: NDArray[Any], target: NDArray[Any], folds: Ints, *, classes: int, is_code: bool
    ) -> tuple[float, bool]:
        """Return the out-of-fold score of one column by itself, and whether it comes close enough to the answer to ask.

        Shapes: column, target and folds (b,).
        """
        predicted = _by_value(column, target, folds, classes) if is_code else _by_tree(column, target, folds, classes)
        if not classes:
            score = max(0.0, r2(target, predicted))
            return score, score >= self.ask_r2
        return auc(target, predicted), separation(target, predicted) >= self.ask

    def _predicted(
        self, context: Context, X: NDArray[Any], target: NDArray[Any], folds: Ints, classes: int
    ) -> NDArray[np.float64]:
        seed = int(context.generator(self.name, "forest").integers(2**31))
        return out_of_fold(
            lambda: forest(classify=classes > 0, seed=seed, trees=25, leaf=2), X, target, folds, classes=classes
        )

    def _without(
        self, context: Context, X: NDArray[Any], target: NDArray[Any], folds: Ints, j: int, whole: NDArray[np.float64]
    ) -> dict[str, Any]:
        """Return the score with all columns and without column ``j``, with the interval of the latter."""
        classes = len(context.schema.target.classes)
        if X.shape[1] < 2:
            return {}
        hits = hits_of(self._predicted(context, np.delete(X, j, axis=1), target, folds, classes), target)
        half = 1.96 * float(hits.std()) / np.sqrt(len(hits))
        return {
            "metric": "accuracy of a quick model" if classes else "share of variance explained",
            "before": hits_of(whole, target).mean(),
            "after": hits.mean(),
            "low": hits.mean() - half,
            "high": hits.mean() + half,
        }

    def _levels(
        self, names: list[str], X: NDArray[Any], target: NDArray[Any], scores: list[float], full: float,
        near: list[bool],
    ) -> dict[int, str]:  # fmt: skip
        """Return column → ``almost certain`` or ``ask``, for those above a limit."""
        chance = 0.0 if target.dtype.kind == "f" else 0.5
        ranked = sorted(scores, reverse=True)
        levels: dict[int, str] = {}
        for j, score in enumerate(scores):
            leads = len(scores) == 1 or score - ranked[1] >= self.lead
            dominates = leads and score >= self.floor and score - chance >= self.share * (full - chance)
            hinted = leads and score >= self.named and AFTER_THE_EVENT.search(names[j].lower()) is not None
            if score >= self.certain or (target.dtype.kind != "f" and one_to_one(X[:, j], target)):
                levels[j] = "almost certain"
            elif near[j] or dominates or hinted:
                levels[j] = "ask"
        return levels

    def _question(
        self, column: str, level: str, metric: str, score: float, n: int, full: float, confidence: dict[str, Any],
        effect: dict[str, Any],
    ) -> Finding:  # fmt: skip
        sure = level == "almost certain"
        title = (
            f"Column '{column}' alone gives the answer away."
            if sure
            else f"Column '{column}' alone comes close to the answer."
        )
        action = (
            f"Ask: is '{column}' known at the moment when the model is used?",
            "If not, remove the column from the file and run again. If yes, keep it and note why.",
        )
        evidence = {
            "n": n,
            "k": 1,
            "columns": [column],
            "examples": [{**_example(column, metric, score), "level": level, "all_columns": round(full, 4)}],
        }
        thresholds = {"ask": self.ask, "almost_certain": self.certain, "lead": self.lead}
        return self.finding(
            "fix_before_use" if sure else "look_at_this",
            title,
            subject=column,
            evidence=evidence,
            effect=effect,
            confidence=confidence,
            action=action,
            thresholds=thresholds,
        )

    def _self_test(self, context: Context, target: NDArray[Any], folds: Ints, classes: int) -> dict[str, Any]:
        """Plant the answer itself, with 2 % and with 5 % of rows wrong, and three columns of pure noise."""
        generator = context.generator(self.name, "plant")
        planted = [_copy_of(target, share, classes, generator) for share in (0.0, 0.02, 0.05)]
        noise = [generator.standard_normal(len(target)) for _ in range(3)]
        asked = [self.score(c, target, folds, classes=classes, is_code=False)[1] for c in planted + noise]
        found, false = sum(asked[:3]), sum(asked[3:])
        kind = Kind("answers added as a column (exact, 2 % and 5 % disturbed)", 3, found)
        return Planting((kind,), 3, false, "columns of noise").to_dict()


def known_before(schema: Schema) -> frozenset[str]:
    """Return inputs of a forecast that are known by their making: earlier values, and parts of the moment itself."""
    made = schema.forecast
    if made is None:
        return frozenset()
    return frozenset(made.names(schema.target.name)) | {c.name for c in schema.columns if c.source == made.time}


def one_to_one(column: NDArray[Any], target: NDArray[Any]) -> bool:
    """Return whether each value of the column goes with one answer and each answer with one value.

    Shapes: both (b,).
    """
    values, codes = np.unique(column, return_inverse=True)
    answers = np.unique(target)
    if len(values) != len(answers) or len(answers) < 2:
        return False
    return len(np.unique(codes * (int(answers.max()) + 1) + target)) == len(answers)


def _copy_of(target: NDArray[Any], share: float, classes: int, generator: np.random.Generator) -> NDArray[Any]:
    out = target.astype(np.float64)
    if not classes:
        noise: NDArray[Any] = share**0.5 * np.std(out) * generator.standard_normal(len(out))
        noisy: NDArray[Any] = out + noise
        return noisy
    wrong = generator.random(len(out)) < share
    out[wrong] = generator.integers(classes, size=int(wrong.sum()))
    return out


def _by_tree(column: NDArray[Any], target: NDArray[Any], folds: Ints, classes: int) -> NDArray[np.float64]:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    leaves = max(32, 4 * classes) if classes else 128
    kind = DecisionTreeClassifier if classes else DecisionTreeRegressor
    small = max(1, len(target) // (max(100, 8 * classes) if classes else 400))
    return out_of_fold(
        lambda: kind(max_leaf_nodes=leaves, min_samples_leaf=small, random_state=0),
        column.reshape(-1, 1),
        target,
        folds,
        classes=classes,
    )


def _by_value(column: NDArray[Any], target: NDArray[Any], folds: Ints, classes: int) -> NDArray[np.float64]:
    """Return the answer's mean, or the share of each class, per value of the column in the other folds."""
    codes = np.where(np.isnan(column), 0, column + 1).astype(np.int64)
    answers: NDArray[np.float64] = np.eye(classes)[target] if classes else target[:, None].astype(np.float64)
    out = np.zeros(answers.shape)
    for fold in np.unique(folds):
        held = folds == fold
        sums = np.zeros((int(codes.max()) + 1, answers.shape[1]))
        np.add.at(sums, codes[~held], answers[~held])
        counts = np.bincount(codes[~held], minlength=len(sums))[:, None]
        out[held] = ((sums + answers[~held].mean(axis=0)) / (counts + 1.0))[codes[held]]
    result: NDArray[np.float64] = out if classes else out[:, 0]
    return result


def _example(column: str, metric: str, score: float) -> dict[str, Any]:
    return {"column": column, "metric": metric, "score": round(score, 4)}
