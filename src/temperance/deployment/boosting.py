"""Histogram gradient boosting of scikit-learn as one ONNX TreeEnsemble, with float64 thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.base import Part, finish_scores
from temperance.deployment.encoding import draw_words
from temperance.deployment.sketch import Sketch
from temperance.records.errors import BundleError
from temperance.records.schema import Target

LESS_EQUAL, MEMBER = 0, 6  # BRANCH_LEQ and BRANCH_MEMBER of ai.onnx.ml 5
NEVER = 255.0  # a category number that no category has: scikit-learn takes at most 255, numbered from 0
LOSSES = ("HalfSquaredError", "HalfBinomialLoss", "HalfMultinomialLoss", "AbsoluteError", "PinballLoss")


@dataclass(frozen=True, eq=False)
class Trees:
    """All trees as flat arrays; nodes and leaves are numbered over the whole ensemble.

    Shapes: nodes (p,): feature, threshold, mode, missing_left, left, right, left_is_leaf, right_is_leaf · leaves (l,):
    value, output · roots (t,) · members: the categories that go left at each MEMBER node, each list closed by NaN.
    """

    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    mode: NDArray[np.uint8]
    missing_left: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    left_is_leaf: NDArray[np.int64]
    right_is_leaf: NDArray[np.int64]
    value: NDArray[np.float64]
    output: NDArray[np.int64]
    roots: NDArray[np.int64]
    members: NDArray[np.float64]


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

    """

    trees: Trees
    baseline: NDArray[np.float64]
    words: tuple[tuple[tuple[str, int], ...], ...]
    order: tuple[int, ...]
    classes: tuple[int, ...] = ()
    floor: float = 0.0

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
            BundleError: a loss whose outputs are not plain sums (Poisson, gamma).

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
        return cls(_flatten(estimator._predictors), baseline, words, order, classes, floor)

    def draw(self, sketch: Sketch, target: Target) -> str:
        raw = sketch.add("Add", self._sum(sketch), sketch.weight("baseline", self.baseline))
        return finish_scores(sketch, raw, target, width=len(self.baseline), classes=self.classes, floor=self.floor)

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"baseline": self.baseline, **{name: getattr(self.trees, name) for name in Trees.__dataclass_fields__}}

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
        return self._ensemble(sketch, features)

    def _ensemble(self, sketch: Sketch, features: str) -> str:
        from onnx.numpy_helper import from_array

        t = self.trees
        members = {"membership_values": from_array(t.members)} if len(t.members) else {}
        return sketch.add(
            "TreeEnsemble", features, domain="ai.onnx.ml", n_targets=len(self.baseline), aggregate_function=1,
            post_transform=0, tree_roots=t.roots.tolist(), nodes_featureids=t.feature.tolist(),
            nodes_modes=from_array(t.mode), nodes_splits=from_array(t.threshold),
            nodes_truenodeids=t.left.tolist(), nodes_falsenodeids=t.right.tolist(),
            nodes_trueleafs=t.left_is_leaf.tolist(), nodes_falseleafs=t.right_is_leaf.tolist(),
            nodes_missing_value_tracks_true=t.missing_left.tolist(), leaf_targetids=t.output.tolist(),
            leaf_weights=from_array(t.value), **members,
        )  # fmt: skip


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
    columns: dict[str, list[Any]] = {name: [] for name in Trees.__dataclass_fields__}
    for stage in rounds:
        for output, tree in enumerate(stage):
            _append(columns, tree, output)
    dtypes = {"threshold": np.float64, "value": np.float64, "members": np.float64, "mode": np.uint8}
    return Trees(**{name: np.asarray(values, dtype=dtypes.get(name, np.int64)) for name, values in columns.items()})


def _append(columns: dict[str, list[Any]], tree: Any, output: int) -> None:
    nodes = tree.nodes
    leaf = nodes["is_leaf"].astype(bool)
    if leaf[0]:  # a tree of one leaf: a split whose two sides are that leaf
        _append_stump(columns, float(nodes[0]["value"]), output)
        return
    position = np.where(
        leaf, len(columns["value"]) + np.cumsum(leaf) - 1, len(columns["feature"]) + np.cumsum(~leaf) - 1
    )
    columns["value"] += nodes["value"][leaf].tolist()
    columns["output"] += [output] * int(leaf.sum())
    columns["roots"].append(int(position[0]))
    inner = nodes[~leaf]
    columns["feature"] += inner["feature_idx"].tolist()
    columns["missing_left"] += inner["missing_go_to_left"].astype(int).tolist()
    for side in ("left", "right"):
        columns[side] += position[inner[side].astype(int)].tolist()
        columns[f"{side}_is_leaf"] += leaf[inner[side].astype(int)].astype(int).tolist()
    for node in inner:
        category = bool(node["is_categorical"])
        columns["mode"].append(MEMBER if category else LESS_EQUAL)
        columns["threshold"].append(0.0 if category else float(node["num_threshold"]))
        if category:
            columns["members"] += [*_members(tree.raw_left_cat_bitsets[int(node["bitset_idx"])]), np.nan]


def _append_stump(columns: dict[str, list[Any]], value: float, output: int) -> None:
    columns["roots"].append(len(columns["feature"]))
    first = len(columns["value"])
    columns["value"] += [value, value]
    columns["output"] += [output, output]
    for name, entry in (("feature", 0), ("missing_left", 1), ("mode", LESS_EQUAL), ("threshold", 0.0)):
        columns[name].append(entry)
    for side, leaf in (("left", first), ("right", first + 1)):
        columns[side].append(leaf)
        columns[f"{side}_is_leaf"].append(1)


def _members(bits: NDArray[np.uint32]) -> list[float]:
    found = [float(i) for i in range(256) if int(bits[i // 32]) >> (i % 32) & 1]
    return found or [NEVER]
