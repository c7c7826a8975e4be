"""Prior correction: the share of the classes has changed, the cases within each class have not."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.adaptation.base import ADAPTERS, Adapter, State
from temperance.adaptation.evidence import chi_square_tail
from temperance.records.errors import DataError, SettingError

LEAST_PER_CLASS = 8
ROUNDS = 60


@ADAPTERS.add
@dataclass(frozen=True)
class LabelShift(Adapter):
    """Re-weight class probabilities by how much each class has become more or less common.

    The model's outputs are put into bins (predicted class × confidence). Labelled reference rows give H(bin | class), a
    calibrated confusion matrix; recent unlabelled traffic gives n(bin). The class shares π maximise
    Σ n log Σ_y π_y H(·|y) by EM (Saerens, Latinne, Decaestecker 2002, on the bins of Lipton et al. 2018, so the model
    need not be calibrated), shrunk towards the source shares s by ``shrink`` rows. Served: p′(y|x) ∝ w_y p(y|x) with
    w = π / s within [1/limit, limit]. Classes with fewer than 8 labelled reference rows are pooled and share one
    weight: a confusion matrix has nothing to say about each of them.

    Use when: outcomes become rarer or more common and the cases themselves stay the same (fraud waves, seasons).
    Avoid when: the inputs change for other reasons; ``fit`` tests for that as far as outputs can tell.

    Attributes:
        horizon: rows over which the past is forgotten (H: weight 1 − 1/H per row, whatever the batch size).
        least: rows of traffic before it says anything.
        shrink: rows' worth of belief in the source shares.
        limit: largest change of a class weight.

    Shapes:
        predictions (b, c) probabilities of the source model.

    Reference:
        Saerens, Latinne, Decaestecker (2002), Neural Computation 14; Lipton, Wang, Smola (2018), arXiv 1802.03916;
        Alexandari, Kundaje, Shrikumar (2020), arXiv 1901.06852.

    """

    horizon: int = 1000
    least: int = 200
    shrink: float = 50.0
    limit: float = 5.0

    def __post_init__(self) -> None:
        if self.horizon < 50 or self.least < 20 or self.shrink < 0 or not self.limit > 1:
            raise SettingError(
                f"horizon={self.horizon}, least={self.least}, shrink={self.shrink}, limit={self.limit}",
                "horizon ≥ 50, least ≥ 20, shrink ≥ 0, limit > 1",
                "The defaults are a good start",
            )

    def begin(self, reference: State) -> State:
        """Return the state with weights of 1.

        Raises:
            DataError: no targets, not a classifier, or fewer than two groups of classes with 8 reference rows each.

        """
        if "sample_target" not in reference or reference["sample"].ndim != 2:
            raise DataError("the reference has no class targets", "one built with target=", "Export with labels")
        sample, target = reference["sample"], reference["sample_target"].astype(np.int64)
        classes = sample.shape[1]
        per_class = np.bincount(target, minlength=classes)
        group = pools(per_class)
        groups = int(group.max()) + 1
        if groups < 2:
            raise DataError(
                f"{len(target)} labelled reference rows, {int((per_class >= LEAST_PER_CLASS).sum())} classes with 8",
                f"at least two classes, or groups of rare ones, with {LEAST_PER_CLASS} rows each",
                "Leave adaptation at level observe",
            )  # fmt: skip
        edges = _edges(sample)
        bins = classes * (edges.shape[1] + 1)
        joint = np.zeros((bins, groups))
        np.add.at(joint, (_bins(sample, edges), group[target]), 1.0)
        overall = joint.sum(axis=1, keepdims=True) / len(sample)
        per_group = joint.sum(axis=0)
        prior = per_group / len(sample)
        return {
            "edges": edges,
            "group": group,
            "within": per_class / per_group[group],  # share of each class in its group
            "given": (joint + 2 * overall + 1e-9) / (per_group + 2 + 1e-9 * bins),  # a bin without rows says nothing
            "per_class": per_group,
            "source": prior,
            "prior": prior.copy(),
            "free": prior.copy(),  # the best fit without shrinking and bounds; what ``fit`` judges
            "hist": np.zeros(bins),
            "seen": np.zeros(3),  # rows; sum of weights; sum of squared weights
        }

    def adapt(self, state: State, predictions: NDArray[Any]) -> State:
        """Return the state with the histogram moved on and the class shares fitted to it."""
        predictions = _checked(predictions, state)
        keep = 1 - 1 / self.horizon
        age = np.arange(len(predictions) - 1, -1, -1, dtype=np.float64)
        weight = keep**age
        hist = state["hist"] * keep ** len(predictions)
        hist = hist + np.bincount(_bins(predictions, state["edges"]), weight, len(hist))
        rows, total, square = state["seen"]
        seen = np.array(
            [
                rows + len(predictions),
                total * keep ** len(predictions) + weight.sum(),
                square * keep ** (2 * len(predictions)) + (weight**2).sum(),
            ]
        )
        moved = {**state, "hist": hist, "seen": seen}
        if seen[0] < self.least:
            return moved
        free = _expectation_maximisation(moved, state["free"], shrink=0.0)
        shrunk = _expectation_maximisation(moved, free, shrink=self.shrink)
        source = state["source"]
        weight = np.clip(shrunk / source, 1 / self.limit, self.limit) * source
        return {**moved, "free": free, "prior": weight / weight.sum()}

    def apply(self, state: State, probabilities: NDArray[Any]) -> NDArray[Any]:
        """Return p′(y|x) ∝ w_y p(y|x), in the type of the input."""
        probabilities = _checked(probabilities, state)
        raw = probabilities * (state["prior"] / state["source"])[state["group"]]
        total = raw.sum(axis=1, keepdims=True)
        return np.where(total > 0, raw / np.where(total > 0, total, 1), probabilities).astype(probabilities.dtype)

    def log_ratio(self, state: State, other: State, predictions: NDArray[Any]) -> NDArray[Any]:
        """Return log Σ_y π_y H(bin|y) − log Σ_y π′_y H(bin|y), (b,)."""
        bins = _bins(_checked(predictions, state), state["edges"])
        ratio: NDArray[Any] = np.log(state["given"] @ state["prior"]) - np.log(state["given"] @ other["prior"])
        return ratio[bins]

    def fit(self, state: State) -> float:
        """Return the p-value of Pearson's test that the traffic is a mixture of the reference classes."""
        rows, total, square = state["seen"]
        if rows < self.least:
            return 1.0
        effective = total**2 / square
        expected = state["given"] @ state["free"]
        noise = expected / effective + state["given"] @ (state["free"] ** 2 / state["per_class"])
        gap = state["hist"] / total - expected
        rare = expected * effective < 3
        if rare.any():  # pool bins that hardly ever occur
            expected, noise, gap = (np.append(v[~rare], v[rare].sum()) for v in (expected, noise, gap))
        freedom = len(expected) - len(state["prior"])
        return chi_square_tail(float((gap**2 / noise).sum()), freedom) if freedom > 0 else 1.0

    def shares(self, state: State) -> NDArray[Any]:
        """Return the best fit of the class shares (c,), within a pool as they were in the reference."""
        return np.asarray(state["free"][state["group"]] * state["within"])

    def slack(self, state: State) -> float:
        """Return χ²(c − 1, 99.9 %) / 2m: what m reference rows may fake per row of traffic (Wilks)."""
        free = len(state["prior"]) - 1
        z = 3.090232
        quantile = free * (1 - 2 / (9 * free) + z * math.sqrt(2 / (9 * free))) ** 3
        return float(quantile / (2 * state["per_class"].sum()))

    def describe(self, state: State) -> dict[str, Any]:
        """Return the class shares before and now, the weights and the fit."""
        return {
            "settings": asdict(self),
            "group": state["group"].tolist(),
            "source": state["source"].tolist(),
            "prior": state["prior"].tolist(),
            "weights": (state["prior"] / state["source"]).tolist(),
            "rows": int(state["seen"][0]),
            "fit": self.fit(state),
        }


def _expectation_maximisation(state: State, pi: NDArray[np.float64], *, shrink: float) -> NDArray[np.float64]:
    """Return the class shares (c,) by EM on the bins from ``pi``, with ``shrink`` rows' worth of the source shares."""
    given, source, hist = state["given"], state["source"], state["hist"]
    pi = np.maximum(pi, 1e-6)
    for _ in range(ROUNDS):
        fresh = (hist / (given @ pi)) @ given * pi + shrink * source
        fresh /= fresh.sum()
        moved = float(np.abs(fresh - pi).max())
        pi = fresh
        if moved < 1e-6:
            break
    return pi


def _checked(probabilities: NDArray[Any], state: State) -> NDArray[Any]:
    array = np.asarray(probabilities)
    if array.ndim != 2 or array.shape[1] != len(state["group"]):
        accepted = f"(b, {len(state['group'])})"
        raise DataError(f"probabilities have shape {array.shape}", accepted, "Pass what the source model predicts")
    return array


def pools(per_class: NDArray[Any]) -> NDArray[np.int64]:
    """Return the group of each class (c,): its own from 8 rows up, the rare ones together.

    Where the rare ones have fewer than 8 rows in all, the rarest of the others joins them.
    """
    order = np.argsort(per_class, kind="stable")
    rare = int((per_class < LEAST_PER_CLASS).sum())
    while 0 < rare < len(order) and per_class[order[:rare]].sum() < LEAST_PER_CLASS:
        rare += 1
    group = np.empty(len(order), dtype=np.int64)
    group[order[:rare]] = 0
    own = np.sort(order[rare:])
    group[own] = np.arange(len(own)) + (1 if rare else 0)
    return group


def _edges(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return confidence edges per predicted class (c, e): 7 for two classes, 3 up to ten, 1 above."""
    classes = sample.shape[1]
    count = 7 if classes == 2 else 3 if classes <= 10 else 1
    top, confidence = sample.argmax(axis=1), sample.max(axis=1)
    at = np.arange(1, count + 1) / (count + 1)
    whole = np.quantile(confidence, at)
    own = [confidence[top == k] for k in range(classes)]
    return np.stack([np.quantile(v, at) if len(v) >= 5 * (count + 1) else whole for v in own])


def _bins(predictions: NDArray[Any], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the bin of each row (b,): predicted class, then confidence."""
    top = predictions.argmax(axis=1)
    above = (predictions.max(axis=1)[:, None] >= edges[top]).sum(axis=1)
    place: NDArray[np.int64] = top * (edges.shape[1] + 1) + above
    return place
