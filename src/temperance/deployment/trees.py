"""Trees of any library as one ONNX TreeEnsemble, with float64 thresholds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.sketch import Sketch

LESS_EQUAL, MEMBER = 0, 6  # BRANCH_LEQ and BRANCH_MEMBER of ai.onnx.ml 5
NEVER = 255.0  # a category number that no category has: at most 255 are split as categories, numbered from 0


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

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in Trees.__dataclass_fields__}

    def draw(self, sketch: Sketch, features: str, outputs: int) -> str:
        """Add the ensemble to a graph; return the sums (b, outputs) float64 of ``features`` (b, f) float64."""
        from onnx.numpy_helper import from_array

        members = {"membership_values": from_array(self.members)} if len(self.members) else {}
        return sketch.add(
            "TreeEnsemble", features, domain="ai.onnx.ml", n_targets=outputs, aggregate_function=1,
            post_transform=0, tree_roots=self.roots.tolist(), nodes_featureids=self.feature.tolist(),
            nodes_modes=from_array(self.mode), nodes_splits=from_array(self.threshold),
            nodes_truenodeids=self.left.tolist(), nodes_falsenodeids=self.right.tolist(),
            nodes_trueleafs=self.left_is_leaf.tolist(), nodes_falseleafs=self.right_is_leaf.tolist(),
            nodes_missing_value_tracks_true=self.missing_left.tolist(), leaf_targetids=self.output.tolist(),
            leaf_weights=from_array(self.value), **members,
        )  # fmt: skip


class Nodes(NamedTuple):
    """One tree, its root first. Rows go left where x ≤ threshold, or where x is one of ``members[node]``.

    Shapes, over the nodes (p,): leaf bool · feature, left, right int · threshold, value float64 · missing_left int.
    What stands at inner nodes alone is ignored at leaves, and the other way round.
    """

    leaf: NDArray[np.bool_]
    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    missing_left: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: NDArray[np.float64]
    members: dict[int, list[float]] = {}  # noqa: RUF012  # never written to


@dataclass(eq=False)
class Grower:
    """Collects trees one by one."""

    columns: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in Trees.__dataclass_fields__})

    def add(self, tree: Nodes, output: int) -> None:
        """Append a tree that adds to ``output``."""
        if tree.leaf[0]:  # a tree of one leaf: a split whose two sides are that leaf
            self._add_stump(float(tree.value[0]), output)
            return
        columns, leaf = self.columns, tree.leaf
        position = np.where(
            leaf, len(columns["value"]) + np.cumsum(leaf) - 1, len(columns["feature"]) + np.cumsum(~leaf) - 1
        )
        columns["value"] += tree.value[leaf].tolist()
        columns["output"] += [output] * int(leaf.sum())
        columns["roots"].append(int(position[0]))
        columns["feature"] += tree.feature[~leaf].tolist()
        columns["missing_left"] += tree.missing_left[~leaf].astype(int).tolist()
        for side, children in (("left", tree.left[~leaf]), ("right", tree.right[~leaf])):
            columns[side] += position[children].tolist()
            columns[f"{side}_is_leaf"] += leaf[children].astype(int).tolist()
        for node in np.flatnonzero(~leaf).tolist():
            chosen = tree.members.get(node)
            columns["mode"].append(LESS_EQUAL if chosen is None else MEMBER)
            columns["threshold"].append(float(tree.threshold[node]) if chosen is None else 0.0)
            if chosen is not None:
                columns["members"] += [*(chosen or [NEVER]), np.nan]

    def trees(self) -> Trees:
        """Return all as arrays."""
        dtypes = {"threshold": np.float64, "value": np.float64, "members": np.float64, "mode": np.uint8}
        return Trees(**{name: np.asarray(row, dtype=dtypes.get(name, np.int64)) for name, row in self.columns.items()})

    def _add_stump(self, value: float, output: int) -> None:
        columns = self.columns
        columns["roots"].append(len(columns["feature"]))
        first = len(columns["value"])
        columns["value"] += [value, value]
        columns["output"] += [output, output]
        for name, entry in (("feature", 0), ("missing_left", 1), ("mode", LESS_EQUAL), ("threshold", 0.0)):
            columns[name].append(entry)
        for side, leaf in (("left", first), ("right", first + 1)):
            columns[side].append(leaf)
            columns[f"{side}_is_leaf"].append(1)
