"""Do labels bear out what the label-free estimate claims? A sequential test, so few labels are enough to refute it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.monitoring.base import State
from temperance.monitoring.reference import Arrays
from temperance.records.errors import DataError, SettingError

STAKES = (0.1, 0.25, 0.5, 0.8)
BINS = 10
AGREED = 50  # labels from which agreement means something


class Claim:
    """The reference says how often answers of each confidence were right; labelled answers of now are tested on that.

    Per label: d = right − (claimed share ∓ ``tolerance``); bets R ← (1 + R) · (1 ± λd), one side for "fewer are
    right", one for "more are right" (Shiryaev-Roberts on betting; see ``panel``). While the claim holds within the
    tolerance, the mean number of labels until it is wrongly called refuted is at least ``average_run_length``.
    For values a label counts as right where the error is within the median error of the reference.

    Args:
        reference: arrays of ``reference.build`` with a target.
        tolerance: of the share of right answers.
        average_run_length: labels until a false refutation, on average, at least.

    Raises:
        DataError: the reference was built without targets.

    """

    def __init__(self, reference: Arrays, *, tolerance: float = 0.05, average_run_length: float = 1000.0) -> None:
        if "sample_target" not in reference:
            raise DataError("the reference holds no targets", "one built with target=", "Export again with labels")
        if not (0 <= tolerance < 0.5 and average_run_length > 1):
            raise SettingError(f"tolerance={tolerance}, average_run_length={average_run_length}", "0…0.5, above 1")
        sample, target = reference["sample"], reference["sample_target"]
        self.tolerance, self.threshold = tolerance, float(average_run_length)
        self.values = sample.ndim == 1
        self.reach = float(np.median(np.abs(sample - target))) if self.values else 0.0
        number = sample if self.values else sample.max(axis=1)
        self.edges = np.unique(np.quantile(number, np.arange(1, BINS) / BINS))
        place = np.searchsorted(self.edges, number, side="right")
        hit = self._right(sample, target)
        width = len(self.edges) + 1
        self.claimed = (np.bincount(place, hit, width) + hit.mean()) / (np.bincount(place, minlength=width) + 1)
        self.reset()

    def reset(self) -> None:
        """Begin anew, e.g. after the model was changed."""
        self.evidence = np.zeros((2, len(STAKES)))
        self.n, self.hits, self.expected, self.refuted_at = 0, 0.0, 0.0, -1

    def observe(self, answers: NDArray[Any], truth: NDArray[Any]) -> None:
        """Take labelled answers of the source model, (b, c) or (b,), with their truth (b,), in order of arrival."""
        given = np.asarray(answers, dtype=np.float64)
        hit = self._right(given, np.asarray(truth))
        number = given if self.values else given.max(axis=1)
        claimed = self.claimed[np.searchsorted(self.edges, number, side="right")]
        fewer = np.maximum(claimed - self.tolerance, 0.0) - hit
        more = hit - np.minimum(claimed + self.tolerance, 1.0)
        stakes = np.array(STAKES)
        for down, up in zip(fewer.tolist(), more.tolist(), strict=True):
            self.evidence = np.minimum((1 + self.evidence) * (1 + stakes * np.array([[down], [up]])), 1e30)
            self.n += 1
            if self.refuted_at < 0 and self.evidence.mean(axis=1).max() >= 2 * self.threshold:
                self.refuted_at = self.n
        self.hits += float(hit.sum())
        self.expected += float(claimed.sum())

    @property
    def refuted(self) -> bool:
        """Labels have contradicted the claim since the last ``reset``."""
        return self.refuted_at >= 0

    @property
    def supported(self) -> bool:
        """Enough labels have come, and none of the evidence speaks against the claim."""
        return self.n >= AGREED and not self.refuted and float(self.evidence.mean(axis=1).max()) < self.threshold

    def sentence(self) -> str:
        """Return what labels say of the claim."""
        if not self.n:
            return "No label has come; nothing bears the estimate out."
        right = "within the usual error" if self.values else "right"
        said = f"Of {self.n:,} labelled answers {100 * self.hits / self.n:.0f} of 100 were {right}, "
        said += f"where {100 * self.expected / self.n:.0f} were to be expected"
        return f"{said}: the estimate does not hold." if self.refuted else f"{said}."

    def _right(self, answers: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float64]:
        if self.values:
            return np.asarray(np.abs(answers - truth) <= self.reach, dtype=np.float64)
        return np.asarray(answers.argmax(axis=1) == truth, dtype=np.float64)

    def state_dict(self) -> State:
        """Return a copy of all that changes."""
        return {
            "evidence": self.evidence.copy(),
            "counts": np.array([self.n, self.hits, self.expected, self.refuted_at]),
        }

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from ``state_dict``."""
        self.evidence = np.array(state["evidence"])
        n, self.hits, self.expected, at = (float(v) for v in state["counts"])
        self.n, self.refuted_at = int(n), int(at)
