"""Boosted trees on raw numbers and category numbers: scikit-learn's histogram gradient boosting, and LightGBM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.base import Part, finish_scores
from temperance.deployment.encoding import draw_words
from temperance.deployment.sketch import Sketch
from temperance.deployment.trees import Grower, Nodes, Trees
from temperance.records.errors import BundleError
from temperance.records.schema import Target

LOG = "HalfPoissonLoss"  # its sums are logs of the prediction
LOSSES = ("HalfSquaredError", "HalfBinomialLoss", "HalfMultinomialLoss", "AbsoluteError", "PinballLoss", LOG)
OBJECTIVES = ("regression", "binary", "multiclass")


@dataclass(frozen=True, eq=False)
class Boosting(Part):
    """Boosted trees on raw numbers and category numbers.

    Attributes:
        trees: the splits and leaves.
        baseline: added to the sum of the trees, (c,).
        words: per categorical column pairs (category, its number in the trees); other strings count as missing.
        order: which raw column (numeric ones first, then categorical ones) each feature of the trees is.
        classes: numbers of the classes that training rows had; empty = all.
        floor: smallest probability given to a class.
        log: the sums are logs of the prediction.

    """

    trees: Trees
    baseline: NDArray[np.float64]
    words: tuple[tuple[tuple[str, int], ...], ...]
    order: tuple[int, ...]
    classes: tuple[int, ...] = ()
    floor: float = 0.0
    log: bool = False

    @classmethod
    def fitted(
        cls,
        estimator: Any,
        vocabulary: tuple[tuple[str, ...], ...] = (),
        *,
        classes: tuple[int, ...] = (),
        floor: float = 0.0,
    ) -> Self:
        """Take over a fitted ``HistGradientBoostingClassifier`` or ``…Regressor``.

        Args:
            estimator: fitted on (numeric columns raw, missing = NaN; then per categorical column its code: the position
                in ``vocabulary``, missing or unseen = NaN). Categorical ones may be named in ``categorical_features``.
            vocabulary: categories by code, per categorical column.
            classes: numbers of the classes that training rows had; empty = all.
            floor: smallest probability given to a class.

        Raises:
            BundleError: a loss whose outputs are neither plain sums nor their exponentials (gamma).

        """
        loss = type(estimator._loss).__name__
        if loss not in LOSSES:
            raise BundleError(f"boosting with the loss {loss}", f"exported are {', '.join(LOSSES)}", "Use one of them")
        order, numbers = _inner_order(estimator, vocabulary)
        words = tuple(
            tuple((word, numbers[j][code]) for code, word in enumerate(column) if code in numbers[j])
            for j, column in enumerate(vocabulary)
        )
        baseline = np.asarray(estimator._baseline_prediction, dtype=np.float64).reshape(-1)
        return cls(_flatten(estimator._predictors), baseline, words, order, classes, floor, loss == LOG)

    @classmethod
    def lightgbm(
        cls,
        booster: Any,
        vocabulary: tuple[tuple[str, ...], ...] = (),
        *,
        trees: int,
        classes: tuple[int, ...] = (),
        floor: float = 0.0,
    ) -> Self:
        """Take over the first ``trees`` rounds of a ``lightgbm.Booster``; the other arguments are those of ``fitted``.

        Raises:
            BundleError: an objective whose outputs are not plain sums, or zeros that count as missing.

        """
        dump = booster.dump_model(num_iteration=trees)
        objective = str(dump["objective"]).split()[0]
        if objective not in OBJECTIVES:
            raise BundleError(
                f"LightGBM with the objective {objective}", f"exported are {', '.join(OBJECTIVES)}", "Use one of them"
            )
        outputs = int(dump["num_tree_per_iteration"])
        grower = Grower()
        for number, tree in enumerate(dump["tree_info"]):
            grower.add(_grown(tree["tree_structure"]), number % outputs)
        words = tuple(tuple((word, code) for code, word in enumerate(column)) for column in vocabulary)
        order = tuple(range(int(dump["max_feature_idx"]) + 1))
        return cls(grower.trees(), np.zeros(outputs), words, order, classes, floor)

    def draw(self, sketch: Sketch, target: Target) -> str:
        raw = sketch.add("Add", self._sum(sketch), sketch.weight("baseline", self.baseline))
        width = len(self.baseline)
        return finish_scores(sketch, raw, target, width=width, classes=self.classes, floor=self.floor, log=self.log)

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"baseline": self.baseline, **self.trees.arrays()}

    def _sum(self, sketch: Sketch) -> str:
        numeric, categorical = len(sketch.schema.numeric), len(self.words)
        blocks = ["numeric"] if numeric else []
        if categorical:
            codes = draw_words(sketch, self.words, default=-1)
            unknown = sketch.add("Less", codes, sketch.constant(0, np.int64))
            absent = sketch.constant(np.nan, np.float64)
            blocks.append(sketch.add("Where", unknown, absent, sketch.cast(codes, np.float64)))
        features = blocks[0] if len(blocks) == 1 else sketch.add("Concat", *blocks, axis=1)
        if self.order != tuple(range(numeric + categorical)):
            features = sketch.add("Gather", features, sketch.constant(self.order, np.int64), axis=1)
        return self.trees.draw(sketch, features, len(self.baseline))


def _inner_order(
    estimator: Any, vocabulary: tuple[tuple[str, ...], ...]
) -> tuple[tuple[int, ...], list[dict[int, int]]]:
    """Return scikit-learn's inner column order, and per categorical column code → inner category number."""
    total = int(estimator.n_features_in_)
    first = total - len(vocabulary)
    plain = [{code: code for code in range(len(words))} for words in vocabulary]
    flags = estimator.is_categorical_
    if estimator._preprocessor is None or flags is None:
        return tuple(range(total)), plain
    chosen = [column for column in range(total) if flags[column]]
    encoder = estimator._preprocessor.named_transformers_["encoder"]
    for column, categories in zip(chosen, encoder.categories_, strict=True):
        if column < first:
            raise BundleError(f"column {column} is a category for the trees and a number in the schema")
        known = [float(value) for value in categories]
        plain[column - first] = {int(value): i for i, value in enumerate(known) if not np.isnan(value)}
    return (*chosen, *(column for column in range(total) if not flags[column])), plain


def _flatten(rounds: Any) -> Trees:
    grower = Grower()
    for stage in rounds:
        for output, tree in enumerate(stage):
            grower.add(_nodes(tree), output)
    return grower.trees()


def _nodes(tree: Any) -> Nodes:
    nodes = tree.nodes
    members = {
        i: _members(tree.raw_left_cat_bitsets[int(nodes[i]["bitset_idx"])])
        for i in np.flatnonzero(nodes["is_categorical"].astype(bool) & ~nodes["is_leaf"].astype(bool)).tolist()
    }
    return Nodes(
        nodes["is_leaf"].astype(bool), nodes["feature_idx"], nodes["num_threshold"], nodes["missing_go_to_left"],
        nodes["left"].astype(np.int64), nodes["right"].astype(np.int64), nodes["value"], members,
    )  # fmt: skip


def _members(bits: NDArray[np.uint32]) -> list[float]:
    return [float(i) for i in range(256) if int(bits[i // 32]) >> (i % 32) & 1]


def _grown(root: dict[str, Any]) -> Nodes:
    """Return a tree of LightGBM's JSON. Missing values of a number go where the node says, of a category right."""
    nodes = [root]
    rows: list[tuple[Any, ...]] = []
    members: dict[int, list[float]] = {}
    for i, node in enumerate(nodes):  # grows while it is read
        if "leaf_value" in node:
            rows.append((True, 0, 0.0, 0, 0, 0, node["leaf_value"]))
            continue
        threshold, left = 0.0, 0
        if node["decision_type"] == "==":
            members[i] = [float(code) for code in str(node["threshold"]).split("||")]
        else:
            threshold, left = float(node["threshold"]), _missing_left(node)
        rows.append((False, node["split_feature"], threshold, left, len(nodes), len(nodes) + 1, 0.0))
        nodes += [node["left_child"], node["right_child"]]
    leaf, feature, thresholds, missing, lefts, rights, values = (np.array(column) for column in zip(*rows, strict=True))
    return Nodes(leaf, feature, thresholds, missing, lefts, rights, values, members)


def _missing_left(node: dict[str, Any]) -> int:
    kind = node["missing_type"]
    if kind == "Zero":
        raise BundleError("LightGBM with zero_as_missing", "only NaN is missing", "Leave zero_as_missing out")
    return int(node["default_left"] if kind == "NaN" else float(node["threshold"]) >= 0)  # "None": NaN counts as 0
