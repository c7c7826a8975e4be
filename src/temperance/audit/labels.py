"""Suspicious labels: rows whose answer a model that did not see them speaks against."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.audit.base import CHECKS, Check, count_of
from temperance.audit.confident import doubt, prune_by_noise_rate
from temperance.audit.context import Context
from temperance.audit.crossfit import assign_folds, forest, hits_of, out_of_fold, probabilities
from temperance.audit.features import Matrix, Ruler, neighbours, tree_matrix
from temperance.audit.planting import Kind, Planting
from temperance.audit.review import ENOUGH, precision, sentence
from temperance.records.finding import Finding, State

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Opinion:
    """What the models say of the labels.

    Attributes:
        flagged: (b,) a family flags the row under both seeds.
        strong: (b,) both families do.
        doubt: (b,) margin against the label, −1 to 1.
        accuracy: out-of-fold accuracy of the better family.
        trusted: which families had a say.

    """

    flagged: Mask
    strong: Mask
    doubt: NDArray[np.float64]
    accuracy: float
    trusted: tuple[bool, ...]


@CHECKS.add
@dataclass(frozen=True)
class Labels(Check):
    """Flag labels by confident learning on out-of-fold probabilities of two families of models, under two seeds.

    Families: extremely randomised trees, and nearest neighbours; one whose accuracy is below ``quality`` or clearly
    behind the other has no say. When no family reaches ``quality``, or when more than ``most`` of the rows are flagged,
    a count would mean nothing: a ranked list is shown without one.
    """

    quality: float = 0.90
    most: float = 0.08
    serious: float = 0.03
    folds: int = 5
    k: int = 10
    trees: int = 50
    planted: float = 0.03

    name: ClassVar[str] = "labels"
    label: ClassVar[str] = "wrong labels"
    rank: ClassVar[int] = 70
    sizes: ClassVar[tuple[int | None, ...]] = (5000, 2500, 1000)
    why: ClassVar[str] = "A model learns wrong labels too, and a score against wrong labels is wrong itself."
    cannot_see: ClassVar[str] = (
        "Labels that are wrong in the same way throughout, and mistakes in rows that models cannot judge."
    )
    references: ClassVar[tuple[str, ...]] = (
        "Northcutt, Jiang and Chuang (2021), arXiv:1911.00068",
        "Northcutt, Athalye and Mueller (2021), arXiv:2103.14749",
    )

    def unsuited(self, context: Context) -> str:
        """Classes with enough rows are needed."""
        if context.is_regression:
            return "the answer is a number; see the check for odd values."
        usable = self._usable(context, context.development)
        return "" if len(usable) >= 60 else "there are too few rows for each answer (10 for each of two are needed)."

    def estimate(self, context: Context, rows: int) -> float:
        """Return seconds: twenty forests and the distances between all rows."""
        width = 256 if context.is_images else len(context.schema.columns)
        tries = max(2.0, math.sqrt(width))
        rounds = 1 + self._rounds(rows)
        return (
            0.3
            + 2 * rounds * self.folds * rows * self.trees * 1.6e-7 * tries
            + 2 * rows * rows * (1.2e-8 + 1e-10 * width)
        )

    def inspect(self, context: Context) -> Finding:
        """Flag labels, then hide known mistakes among the rest and count how many come back."""
        index = self._usable(context, context.sample(self.name))
        labels = context.labels(index).astype(np.int64)
        judge = _Judge(self, context, index, labels)
        opinion = judge.opinion(labels)
        share = float(opinion.flagged.mean())
        order = np.argsort(-opinion.doubt, kind="stable")
        confidence: dict[str, Any] = {"model_quality": opinion.accuracy}
        thresholds = {"accuracy": self.quality, "most_flagged": self.most, "serious": self.serious}
        action: tuple[str, ...]
        evidence: dict[str, Any]
        reason = self._gate(opinion.accuracy, share)
        if reason:
            evidence = {"n": len(index), "k": None, "examples": _examples(context, index, judge, order[:20])}
            action = ("Look at the rows of the list. They are the first ones worth a check, not a count of mistakes.",)
            return self.not_tested(
                reason, evidence=evidence, confidence=confidence, thresholds=thresholds, action=action
            )
        k = int(opinion.flagged.sum())
        listed = order[opinion.flagged[order]]
        evidence = {
            "n": len(index),
            "k": k,
            "strong": int(opinion.strong.sum()),
            "rows": index[listed][:1000],
            "examples": _examples(context, index, judge, listed[:20]),
            "of_all": len(context.development),
        }
        confidence.update(self._self_test(context, judge, labels, opinion))
        told = precision(context.answers, {int(row) for row in index[listed]})
        confidence.update({"review": told} if told else {})
        title = f"{count_of(k, 'label')} of {len(index):,} looked at {'seems' if k == 1 else 'seem'} wrong."
        title += sentence(told)
        action = (
            "Look at the listed rows. About half of such rows turn out to be wrong in studies.",
            "Correct the wrong ones at the source. Do not correct test rows without looking.",
        )
        return self.finding(
            self._state(k, share, told),
            title if k else f"None of {len(index):,} labels looked at seems wrong.",
            evidence=evidence,
            effect=self._without(context, index, listed) if k else {},
            confidence=confidence,
            thresholds=thresholds,
            action=action if k else (),
        )

    def _state(self, k: int, share: float, told: dict[str, Any]) -> State:
        """Return the state: what the owner judged to be right mostly is no fault to fix."""
        if not k:
            return "no_problem_found"
        mostly_right = bool(told) and told["judged"] >= ENOUGH and told["high"] < 0.5
        return "fix_before_use" if share >= self.serious and not mostly_right else "look_at_this"

    def _without(self, context: Context, index: Ints, listed: Ints) -> dict[str, Any]:
        """Return the score on the test rows of a model of all rows, and of one without the flagged ones.

        Rows that the owner judged to be right stay in.
        """
        table, test = context.testing
        test = test[np.asarray(table.target)[test] >= 0][:4000]
        if len(test) < 50:
            return {}
        wrong = [int(row) for row in index[listed] if context.answers.get(int(row), True)]
        kept = np.setdiff1d(index, wrong)
        X, truth = tree_matrix(table.rows.take(test)), np.asarray(table.target)[test]
        classes = len(context.schema.target.classes)
        hits = []
        for rows in (index, kept):
            model = forest(classify=True, seed=context.seed, trees=self.trees)
            model.fit(tree_matrix(context.table.rows.take(rows)), context.labels(rows).astype(np.int64))
            hits.append(hits_of(probabilities(model, X, classes), truth))
        change = hits[1] - hits[0]
        half = 1.96 * float(change.std()) / math.sqrt(len(change))
        after = float(hits[1].mean())
        return {
            "metric": "accuracy of a quick model on the test rows", "before": float(hits[0].mean()), "after": after,
            "low": after - half, "high": after + half,
        }  # fmt: skip

    def _usable(self, context: Context, index: Ints) -> Ints:
        """Return the rows whose class has at least ten of them, where two such classes exist."""
        labels = context.labels(index).astype(np.int64)
        counts = np.bincount(labels, minlength=2)
        kept = index[counts[labels] >= 10]
        return kept if int((counts >= 10).sum()) >= 2 else kept[:0]

    def _gate(self, accuracy: float, share: float) -> str:
        if accuracy < self.quality:
            right = round(100 * accuracy)
            return f"a quick model agrees with only {right} of 100 labels, so it cannot count mistakes."
        if share > self.most:
            return f"a quick model doubts {100 * share:.0f} of 100 labels, which is too many to be a count of mistakes."
        return ""

    @staticmethod
    def _rounds(count: int) -> int:
        """Return how often faults are planted: small data need more than one round for a steady count."""
        return 3 if count < 600 else 2 if count < 2000 else 1

    def _self_test(self, context: Context, judge: _Judge, labels: Ints, opinion: Opinion) -> dict[str, Any]:
        """Flip ``planted`` of the labels that were not flagged, rerun, and count the flipped ones that are flagged.

        Small data get up to three rounds, so that the count does not rest on a handful of rows.
        """
        generator = context.generator(self.name, "plant")
        rounds = self._rounds(len(labels))
        planted = found = false = 0
        free = np.flatnonzero(~opinion.flagged)
        count = min(max(5, round(self.planted * len(labels))), len(free))
        classes = np.unique(labels)
        for _ in range(rounds):
            chosen = generator.choice(free, size=count, replace=False)
            changed = labels.copy()
            for i in chosen:
                changed[i] = generator.choice(classes[classes != labels[i]])
            again = judge.opinion(changed, trusted=opinion.trusted).flagged
            planted, found = planted + count, found + int(again[chosen].sum())
            false += int(again[np.setdiff1d(free, chosen)].sum())
        clean = rounds * (len(free) - count)
        return Planting((Kind("wrong labels", planted, found),), clean, false).to_dict()


class _Judge:
    """Two families of models over fixed rows; only the labels change between two opinions."""

    def __init__(self, check: Labels, context: Context, index: Ints, labels: Ints) -> None:
        self.check, self.classes = check, len(context.schema.target.classes)
        rows = context.table.rows.take(index)
        self.X: Matrix = tree_matrix(rows)
        points = Ruler.fit(rows, seed=context.seed).points(rows)
        self.seeds = [int(context.generator(check.name, str(s)).integers(2**31)) for s in range(2)]
        self.folds = [assign_folds(labels, check.folds, np.random.default_rng(seed)) for seed in self.seeds]
        k = min(check.k, len(index) - 1 - int(np.bincount(self.folds[0]).max()))
        self.near = [neighbours(points, folds, k=k) for folds in self.folds]
        self.last: NDArray[np.float64] = np.zeros((len(index), self.classes))

    def opinion(self, labels: Ints, *, trusted: tuple[bool, ...] = ()) -> Opinion:
        """Return what the families say of ``labels``; ``trusted`` fixes which have a say."""
        families = [[self._trees(labels, s) for s in range(2)], [self._neighbours(labels, s) for s in range(2)]]
        accuracy = [float(np.mean([(p.argmax(axis=1) == labels).mean() for p in family])) for family in families]
        best = max(accuracy)
        trusted = trusted or tuple(a >= min(self.check.quality, best) and a >= best - 0.03 for a in accuracy)
        flags = [
            np.all([prune_by_noise_rate(labels, p) for p in family], axis=0) & ok
            for family, ok in zip(families, trusted, strict=True)
        ]
        chosen = [np.mean(family, axis=0) for family, ok in zip(families, trusted, strict=True) if ok]
        self.last = np.mean(chosen, axis=0)
        return Opinion(flags[0] | flags[1], flags[0] & flags[1], doubt(labels, self.last), best, trusted)

    def _trees(self, labels: Ints, s: int) -> NDArray[np.float64]:
        return out_of_fold(
            lambda: forest(classify=True, seed=self.seeds[s], trees=self.check.trees),
            self.X,
            labels,
            self.folds[s],
            classes=self.classes,
        )

    def _neighbours(self, labels: Ints, s: int) -> NDArray[np.float64]:
        votes = labels[self.near[s]]
        counts = np.zeros((len(labels), self.classes))
        np.add.at(counts, (np.arange(len(labels))[:, None], votes), 1.0)
        prior = np.bincount(labels, minlength=self.classes) / len(labels)
        smooth: NDArray[np.float64] = (counts + prior) / (votes.shape[1] + 1.0)
        return smooth


def _examples(context: Context, index: Ints, judge: _Judge, order: Ints) -> list[dict[str, Any]]:
    classes, p = context.schema.target.classes, judge.last
    given = context.labels(index).astype(np.int64)
    return [
        {"row": int(index[i]), "given": classes[given[i]], "likely": classes[_other(p[i], given[i])]} for i in order
    ]


def _other(p: NDArray[np.float64], given: int) -> int:
    masked = p.copy()
    masked[given] = -1.0
    return int(masked.argmax())
