"""Trees on numbers alone, compared in float32: extremely randomized trees of scikit-learn, and CatBoost."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.base import Part, finish_scores
from temperance.deployment.encoding import draw_words, positions
from temperance.deployment.sketch import Sketch
from temperance.deployment.trees import Grower, Nodes, Trees
from temperance.records.schema import Target

WIDEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class Forest(Part):
    """Trees on raw numbers, 0/1 columns of categories and category numbers (``CodeMatrix`` of the basic models).

    Each tree adds the row of ``table`` that its leaf names; where there is one output the leaves hold it themselves.

    Attributes:
        trees: the splits; leaves hold their number, or the output itself where ``table`` is empty.
        table: (leaves, c) outputs, or empty.
        baseline: (c,) added to the sum.
        shares: the sum is a probability per class (of class 1 where there is one output), not a score.
        vocabulary: categories per categorical column.
        levels: count of 0/1 columns per categorical column; 0 where its code stands as a number.
        classes: numbers of the classes that training rows had; empty = all.
        floor: smallest probability given to a class.

    """

    trees: Trees
    table: NDArray[np.float64]
    baseline: NDArray[np.float64]
    shares: bool
    vocabulary: tuple[tuple[str, ...], ...]
    levels: tuple[int, ...]
    classes: tuple[int, ...] = ()
    floor: float = 0.0

    @classmethod
    def fitted(cls, model: Any, matrix: Any, vocabulary: tuple[tuple[str, ...], ...], **placed: Any) -> Self:
        """Take over a fitted forest of scikit-learn; ``placed`` are ``classes`` and ``floor``."""
        values = hasattr(model, "classes_")
        trees, tables = [], []
        for one in model.estimators_:
            tree = one.tree_
            answers = tree.value[:, 0, :] / len(model.estimators_)
            if values:
                answers = answers / tree.value[:, 0, :].sum(axis=1, keepdims=True)
            leaf = tree.children_left < 0
            tables.append(answers)
            nodes = Nodes(
                leaf, tree.feature, tree.threshold, tree.missing_go_to_left, tree.children_left,
                tree.children_right, np.zeros(len(leaf)),
            )  # fmt: skip
            trees.append(nodes)
        if values and tables[0].shape[1] == 2:
            tables = [table[:, 1:] for table in tables]
        return cls._of(trees, tables, np.zeros(tables[0].shape[1]), values, matrix, vocabulary, placed)

    @classmethod
    def catboost(
        cls, model: Any, matrix: Any, vocabulary: tuple[tuple[str, ...], ...], *, trees: int, **placed: Any
    ) -> Self:
        """Take over the first ``trees`` symmetric trees of a CatBoost model trained on numbers alone."""
        with tempfile.TemporaryDirectory(prefix="temperance-") as scratch:
            path = Path(scratch) / "model.json"
            model.save_model(str(path), format="json")
            told = json.loads(path.read_text(encoding="utf-8"))
        scale, bias = told["scale_and_bias"]
        baseline = np.atleast_1d(np.asarray(bias, dtype=np.float64))
        features = told["features_info"]["float_features"]
        treatment = {row["feature_index"]: row["nan_value_treatment"] for row in features}
        grown, tables = [], []
        for tree in told["oblivious_trees"][:trees]:
            splits = tree["splits"] or []
            table = np.asarray(tree["leaf_values"], dtype=np.float64).reshape(2 ** len(splits), -1) * scale
            nodes, order = _symmetric(splits, treatment)
            grown.append(nodes)
            tables.append(np.concatenate([np.zeros((2 ** len(splits) - 1, table.shape[1])), table[order]]))
        return cls._of(grown, tables, np.resize(baseline, tables[0].shape[1]), False, matrix, vocabulary, placed)

    @classmethod
    def _of(
        cls, trees: list[Nodes], tables: list[NDArray[np.float64]], baseline: NDArray[np.float64], shares: bool,
        matrix: Any, vocabulary: tuple[tuple[str, ...], ...], placed: dict[str, Any],
    ) -> Self:  # fmt: skip
        grower, single = Grower(), tables[0].shape[1] == 1
        rows: list[NDArray[np.float64]] = []
        for number, (nodes, table) in enumerate(zip(trees, tables, strict=True)):
            if single:
                grower.add(nodes._replace(value=table[:, 0]), 0)
                continue
            first = sum(map(len, rows))
            rows.append(table[nodes.leaf])
            grower.add(nodes._replace(value=first + np.cumsum(nodes.leaf).astype(np.float64) - 1), number)
        stacked = np.zeros((0, len(baseline))) if single else np.concatenate(rows)
        return cls(grower.trees(), stacked, baseline, shares, vocabulary, tuple(matrix.levels), **placed)

    def draw(self, sketch: Sketch, target: Target) -> str:
        total = sketch.add("Add", self._sum(sketch), sketch.weight("baseline", self.baseline))
        width = len(self.baseline)
        if self.shares:
            if width == 1:
                rest = sketch.add("Sub", sketch.constant([1.0], np.float64), total)
                total, width = sketch.add("Concat", rest, total, axis=1), 2
            least = sketch.constant(np.finfo(np.float64).tiny, np.float64)
            total = sketch.add("Log", sketch.add("Max", total, least))
        return finish_scores(sketch, total, target, width=width, classes=self.classes, floor=self.floor)

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"baseline": self.baseline, "table": self.table, **self.trees.arrays()}

    def _sum(self, sketch: Sketch) -> str:
        features = self._features(sketch)
        if not len(self.table):
            return self.trees.draw(sketch, features, 1)
        leaves = sketch.cast(self.trees.draw(sketch, features, len(self.trees.roots)), np.int64)
        rows = sketch.add("Gather", sketch.weight("table", self.table), leaves, axis=0)
        return sketch.add("ReduceSum", rows, sketch.constant([1], np.int64), keepdims=0)

    def _features(self, sketch: Sketch) -> str:
        """Return the matrix (b, n + Σ columns): rounded to float32 and back, as the trees compare."""
        blocks = ["numeric"] if sketch.schema.numeric else []
        if self.vocabulary:
            codes = draw_words(sketch, positions(self.vocabulary))  # 0: missing or unseen; the code plus one otherwise
            for j, levels in enumerate(self.levels):
                column = sketch.add("Gather", codes, sketch.constant([j], np.int64), axis=1)
                if levels:
                    flags = sketch.add("Equal", column, sketch.constant(np.arange(1, levels + 1)[None], np.int64))
                    blocks.append(sketch.cast(flags, np.float64))
                else:
                    known = sketch.add("Less", sketch.constant(0, np.int64), column)
                    number = sketch.cast(sketch.add("Sub", column, sketch.constant(1, np.int64)), np.float64)
                    blocks.append(sketch.add("Where", known, number, sketch.constant(np.nan, np.float64)))
        features = blocks[0] if len(blocks) == 1 else sketch.add("Concat", *blocks, axis=1)
        bounds = sketch.constant(-WIDEST, np.float64), sketch.constant(WIDEST, np.float64)
        missing = sketch.add("IsNaN", features)  # Clip may turn NaN into a bound
        clipped = sketch.add("Where", missing, features, sketch.add("Clip", features, *bounds))
        return sketch.cast(sketch.cast(clipped, np.float32), np.float64)


def _symmetric(splits: list[dict[str, Any]], treatment: dict[int, str]) -> tuple[Nodes, NDArray[np.int64]]:
    """Return a symmetric tree as nodes in breadth-first order, and for each leaf its place among CatBoost's leaves.

    CatBoost sets bit i of a leaf's place where feature > border of split i. Level i of the nodes asks split i.
    """
    depth = len(splits)
    inner, total = 2**depth - 1, 2 ** (depth + 1) - 1
    level = np.floor(np.log2(np.arange(1, inner + 1))).astype(int) if depth else np.empty(0, dtype=int)
    feature, threshold, missing = np.zeros(total, np.int64), np.zeros(total), np.zeros(total, np.int64)
    for i, split in enumerate(splits):
        chosen = np.flatnonzero(level == i)
        feature[chosen] = split["float_feature_index"]
        threshold[chosen] = float(np.float32(split["border"]))
        missing[chosen] = treatment.get(split["float_feature_index"]) != "AsTrue"
    numbers = np.arange(total)
    nodes = Nodes(numbers >= inner, feature, threshold, missing, 2 * numbers + 1, 2 * numbers + 2, np.zeros(total))
    places = np.arange(2**depth)
    turned = np.zeros_like(places)
    for i in range(depth):  # the first split is the highest bit of the place from left to right
        turned |= ((places >> (depth - 1 - i)) & 1) << i
    return nodes, turned
