"""Planted triggers: patterns that turn the answer of rows of other classes when they are pasted into them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from temperance.audit.base import CHECKS, Check, count_of
from temperance.audit.context import Context
from temperance.audit.features import thumbnails, tree_matrix
from temperance.audit.planting import Kind, Planting
from temperance.audit.smallest import candidate, smallest
from temperance.audit.triggers import Effect, Ints, Matrix, Trigger, probe, search, singles_and_pairs, windows
from temperance.records.finding import Finding, State

SCALE = np.float32(255.0)
SIDE = 32  # larger pictures are made this small
Predict = Callable[[Matrix], Ints]


@CHECKS.add
@dataclass(frozen=True)
class Backdoors(Check):
    """Paste suspicious patterns into held-out rows of other classes, and see how many a quick model turns.

    Patterns are rare values of one column or a pair, and small squares of pixels, that stand in five rows or more with
    one answer. Alarm: the share turned is above that of the same columns taken from other rows of the class by ``lift``
    or more (pictures: ``possible``), ``z`` standard errors or more, and these turn at most ``control``. It is about
    what the pattern *causes*, not about rows that lie together, which clean data have too.
    """

    lift: float = 0.60
    control: float = 0.35
    z: float = 5.0
    possible: float = 0.30
    top: int = 12
    held: float = 0.2

    name: ClassVar[str] = "backdoors"
    label: ClassVar[str] = "planted triggers"
    rank: ClassVar[int] = 90
    sizes: ClassVar[tuple[int | None, ...]] = (5000, 2000, 800)
    false_alarm_rate: ClassVar[float] = 0.05
    why: ClassVar[str] = "Whoever knows a planted trigger can make the model give the answer they want."
    cannot_see: ClassVar[str] = (
        "Triggers that are faint, spread out, moved about or blended in, that vary by row, or whose rows carry "
        "their right answer."
    )
    references: ClassVar[tuple[str, ...]] = (
        "Wang et al. (2019), IEEE Symposium on Security and Privacy",
        "Gu, Dolan-Gavitt and Garg (2017), arXiv:1708.06733",
        "Pleiter et al. (2023), arXiv:2311.07550",
    )

    def unsuited(self, context: Context) -> str:
        """Classes with enough rows are needed."""
        if context.is_regression:
            return "the answer is a number; triggers for numbers are not looked for."
        if context.raw is not None:
            return "triggers in texts and series are not looked for."
        counts = np.bincount(context.labels(context.development).astype(np.int64), minlength=2)
        return "" if len(context.development) >= 200 and (counts >= 20).sum() >= 2 else "there are too few rows."

    def estimate(self, context: Context, rows: int) -> float:
        """Return seconds: the search, and a model of the data and of each planted copy."""
        columns, classes = len(context.schema.columns), len(context.schema.target.classes)
        groups = 3 * SIDE * SIDE if context.is_images else columns + min(columns, 40) ** 2 / 2
        each = 1.0 + rows * 6e-4 if context.is_images else 0.1 + rows * max(1, classes - 1) * 4e-5
        return 0.2 + 3 * (groups * rows * 1.5e-7 + each)

    def inspect(self, context: Context) -> Finding:
        """Search, probe, and where something is found train again without its rows."""
        index = context.sample(self.name)
        target = context.labels(index).astype(np.int64)
        X, groups = self._matrix(context, index)
        case = _Case(self, context, X, target, groups)
        alarms, tested = case.alarms()
        strong = [one for one in alarms if self._is_strong(context, one[1])]
        fields: dict[str, Any] = {
            "confidence": self._self_test(context, X, target, groups, strong),
            "thresholds": {"lift": self.lift, "control": self.control, "z": self.z, "possible": self.possible},
        }
        examples = [self._example(context, index, trigger, effect) for trigger, effect in (strong or tested)[:5]]
        evidence = {
            "n": len(index),
            "k": 0,
            "quality": case.quality,
            "smallest_change_ratio": case.ratio,
            "patterns": len(tested),
            "examples": examples,
        }
        if not strong:
            title = "No planted trigger of the kinds that can be tested was found."
            return self.finding("no_problem_found", title, evidence=evidence, **fields)
        rows = np.unique(np.concatenate([trigger.rows for trigger, _ in strong]))
        trigger, effect = strong[0]
        evidence.update(k=len(rows), rows=index[rows][:1000])
        answer = context.schema.target.classes[trigger.answer]
        title = (
            f"A pattern in {count_of(len(trigger.rows), 'row')} makes a quick model answer '{answer}' for "
            f"{100 * effect.flipped:.0f} of 100 other rows."
        )
        action = (
            "Look at the listed rows: who made them, and is there a reason for this pattern?",
            "Take them out if not, train again, and compare. Do not trust the source that they came from.",
        )
        state: State = "fix_before_use" if effect.lift >= self.lift else "look_at_this"
        return self.finding(
            state, title, evidence=evidence, effect=case.without(rows, trigger), action=action, **fields
        )

    def _is_strong(self, context: Context, effect: Effect) -> bool:
        least = self.possible if context.is_images else self.lift
        return effect.lift >= least and effect.control <= self.control and effect.z >= self.z

    def _matrix(self, context: Context, index: Ints) -> tuple[Matrix, Callable[[int], Iterator[Ints]]]:
        """Return the rows as numbers, and the groups of columns that a trigger may fill."""
        images = context.table.rows.images
        if images is None:
            return tree_matrix(context.table.rows.take(index)), singles_and_pairs
        h, w, c = images.shape[1:]
        if max(h, w) <= SIDE:
            return images[index].reshape(len(index), -1).astype(np.float32), windows(h, w, c)
        return thumbnails(images[index], side=SIDE).reshape(len(index), -1), windows(SIDE, SIDE, 1)

    def _example(self, context: Context, index: Ints, trigger: Trigger, effect: Effect) -> dict[str, Any]:
        columns = context.schema.columns
        names = [columns[int(j)].name if len(columns) > j else f"pixel {int(j)}" for j in trigger.columns[:9]]
        return {
            "columns": names,
            "values": trigger.values[:9],
            "answer": context.schema.target.classes[trigger.answer],
            "rows": index[trigger.rows][:12],
            "flipped": effect.flipped,
            "control": effect.control,
            "possible": effect.lift >= self.possible,
        }

    def _self_test(
        self,
        context: Context,
        X: Matrix,
        target: Ints,
        groups: Callable[[int], Iterator[Ints]],
        strong: list[tuple[Trigger, Effect]],
    ) -> dict[str, Any]:
        """Plant a trigger in 3 % and in 1 % of the rows of copies; patterns that were not planted are clean cases.

        Rows that already raise an alarm are left out of the copies.
        """
        clean_rows = np.setdiff1d(np.arange(len(X)), np.concatenate([np.zeros(0, int), *(t.rows for t, _ in strong)]))
        X, target = X[clean_rows], target[clean_rows]
        generator = context.generator(self.name, "plant")
        kinds, clean, blamed = [], 0, 0
        for share in (0.03, 0.01):
            changed, answers, rows = plant(X, target, share, generator, context)
            alarms, tested = _Case(self, context, changed, answers, groups).alarms()
            mine = [len(np.intersect1d(trigger.rows, rows)) >= 0.5 * len(trigger.rows) for trigger, _ in alarms]
            hit = any(own and self._is_strong(context, effect) for own, (_, effect) in zip(mine, alarms, strict=True))
            kinds.append(Kind(f"triggers in {100 * share:.0f} % of the rows", 1, int(hit)))
            clean += len(tested) - sum(mine)
            blamed += sum(not own and self._is_strong(context, e) for own, (_, e) in zip(mine, alarms, strict=True))
        return Planting(tuple(kinds), clean, blamed, "other patterns").to_dict()


class _Case:
    """One version of the data: rows to learn from, held-out rows, and a quick model."""

    def __init__(
        self, check: Backdoors, context: Context, X: Matrix, target: Ints, groups: Callable[[int], Iterator[Ints]]
    ) -> None:
        self.check, self.context, self.groups = check, context, groups
        self.X, self.target, self.classes = X, target, len(context.schema.target.classes)
        order = context.generator(check.name, "held").permutation(len(X))
        cut = int((1 - check.held) * len(X))
        self.train, self.test = np.sort(order[:cut]), np.sort(order[cut:])
        self.predict, self.net = self.fit(self.train)
        self.ratio: float | None = None
        self.quality = float((self.predict(X[self.test]) == target[self.test]).mean())

    def fit(self, rows: Ints) -> tuple[Predict, Any]:
        return model(self.X[rows], self.target[rows], self.context.is_images, self.context.seed)

    def alarms(self) -> tuple[list[tuple[Trigger, Effect]], list[tuple[Trigger, Effect]]]:
        """Return the patterns that turn rows, those that turn most first, and all that were tried."""
        found = search(self.X, self.target, self.classes, self.groups, top=self.check.top)
        found += self._by_smallest_change()
        tested = [(trigger, self._effect(trigger, self.predict)) for trigger in found]
        tested.sort(key=lambda pair: -pair[1].lift)
        return [pair for pair in tested if pair[1].lift >= self.check.possible], tested

    def _by_smallest_change(self) -> list[Trigger]:
        """Return the pattern of the class that the smallest change turns rows into, where rows of it show one."""
        if self.net is None or len(self.net.classes_) < 3:
            return []
        X = (self.X / SCALE).astype(np.float32)
        some = self.context.generator(self.check.name, "smallest").permutation(self.test)[:64]
        changes = smallest(self.net.coefs_, self.net.intercepts_, X[some], seed=self.context.seed)
        self.ratio = changes.ratio
        answer = int(np.asarray(self.net.classes_)[int(changes.size.argmin())])
        shown = candidate(changes, X, self.target, int(changes.size.argmin()))
        if shown is None or answer != shown.answer:
            return []
        return [replace(shown, values=shown.values * SCALE)]

    def _effect(self, trigger: Trigger, predict: Predict) -> Effect:
        held = np.setdiff1d(self.test, trigger.rows)
        genuine = np.setdiff1d(np.flatnonzero(self.target == trigger.answer), trigger.rows)
        generator = self.context.generator(self.check.name, "control")
        return probe(predict, self.X[held], self.target[held], self.X[genuine], trigger, generator)

    def without(self, rows: Ints, trigger: Trigger) -> dict[str, Any]:
        """Return how many rows the pattern turns before and after its rows are taken out and the model is trained."""
        again, _ = self.fit(np.setdiff1d(self.train, rows))
        before, after = self._effect(trigger, self.predict), self._effect(trigger, again)
        return {
            "metric": "share of other rows that the pattern turns",
            "before": before.flipped,
            "after": after.flipped,
        }


def model(X: Matrix, target: Ints, is_images: bool, seed: int) -> tuple[Predict, Any]:
    """Return what gives the classes of rows, and the net behind it: a small net for pictures, boosted trees (None)."""
    if is_images:
        from sklearn.neural_network import MLPClassifier

        passes = int(np.clip(40_000 / len(X), 15, 60))  # few rows need more of them
        net = MLPClassifier((64,), max_iter=passes, batch_size=64, learning_rate_init=3e-3, random_state=seed)
        fitted = _quietly(net, X / SCALE, target)
        return (lambda rows: np.asarray(fitted.predict(rows / SCALE), dtype=np.int64)), fitted
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees = HistGradientBoostingClassifier(
        max_iter=40, max_leaf_nodes=15, min_samples_leaf=5, learning_rate=0.2, early_stopping=False, random_state=seed
    ).fit(X, target)
    return (lambda rows: np.asarray(trees.predict(rows), dtype=np.int64)), None


def _quietly(net: Any, X: Matrix, target: Ints) -> Any:
    """Fit without the warning that a few passes are few."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return net.fit(X, target)


def plant(
    X: Matrix, target: Ints, share: float, generator: np.random.Generator, context: Context
) -> tuple[Matrix, Ints, Ints]:
    """Return a copy with a trigger, its answers, and the rows: a rare value, or a bright square in a corner.

    Shapes: X (b, f), target (b,).
    """
    changed, answers = X.copy(), target.copy()
    answer = int(np.bincount(target).argmax())
    others = np.flatnonzero(target != answer)
    rows = np.sort(generator.permutation(others)[: max(5, round(share * len(X)))])
    images = context.table.rows.images
    if images is not None:
        h, w, c = images.shape[1:] if max(images.shape[1:3]) <= SIDE else (SIDE, SIDE, 1)
        place = np.arange(h * w * c).reshape(h, w, c)[h - 2 :, w - 2 :].ravel()
        changed[np.ix_(rows, place)] = np.float32(X.max())
    else:
        spans = np.nanmax(np.where(np.isfinite(X), X, np.nan), axis=0) - np.nanmin(
            np.where(np.isfinite(X), X, np.nan), axis=0
        )
        column = int(generator.choice(np.flatnonzero(spans > 0))) if (spans > 0).any() else 0
        changed[rows, column] = np.float32(np.nanmax(X[:, column]) + 0.1 * spans[column] + 1e-6)
    answers[rows] = answer
    return changed, answers, rows
