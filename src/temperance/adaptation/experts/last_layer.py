"""A new last layer over the source model's answer and the inputs, fitted on the labels of the last rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.adaptation.base import State
from temperance.adaptation.experts.base import EXPERTS, Expert
from temperance.adaptation.fitting import ridge_fit, softmax_fit
from temperance.adaptation.traffic import Array, Setting, Traffic, logs, softmax
from temperance.records.errors import SettingError


@EXPERTS.add
@dataclass(frozen=True)
class LastLayer(Expert):
    """p′ = softmax((1 + s) · log p + [1, x, |x|] W), or y′ = y + [1, y, x, |x|] β, refitted as labels come.

    Both are pulled towards s = W = 0, the source model, by ``penalty`` rows' worth of belief per number. Labelled rows
    count by 1 − 1/``horizon`` per row of age. The norm of W is kept within ``reach``: the trust region.

    Use when: how inputs and outcome are related has changed, and labels come.
    Avoid when: fewer labels than a few per input come within the horizon.

    Attributes:
        horizon: labelled rows over which the past is forgotten.
        penalty: strength of the pull, in rows.
        reach: largest norm of W.
        least: labels before it says anything.

    """

    horizon: int = 1000
    penalty: float = 10.0
    reach: float = 20.0
    least: int = 30
    inputs: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.horizon < 20 or self.penalty <= 0 or self.reach <= 0 or self.least < 1:
            raise SettingError(
                f"horizon={self.horizon}, penalty={self.penalty}, reach={self.reach}, least={self.least}",
                "horizon ≥ 20, the others above 0", "Use the defaults",
            )  # fmt: skip

    def begin(self, setting: Setting) -> State | None:
        """Return W = 0; None where the inputs are wanted and not known."""
        if self.inputs and not setting.features:
            return None
        width = 1 + (2 * setting.features if self.inputs else 0)
        shape = (width, setting.classes) if setting.classes else (width + 1,)
        return {
            "matrix": np.zeros(shape), "scale": np.array(0.0), "centre": np.array(setting.centre),
            "unit": np.array(setting.scale),
        }  # fmt: skip

    def apply(self, state: State, traffic: Traffic) -> NDArray[Any]:
        """Return the changed answers, (b, c) or (b,)."""
        if not state["matrix"].any() and not state["scale"]:
            return traffic.answers
        if traffic.answers.ndim == 1:
            return np.asarray(traffic.answers + state["unit"] * (self._values(state, traffic) @ state["matrix"]))
        return softmax((1 + state["scale"]) * logs(traffic.answers) + self._numbers(traffic) @ state["matrix"])

    def learn(self, state: State, fresh: tuple[Traffic, NDArray[Any]], known: tuple[Traffic, NDArray[Any]]) -> State:
        """Fit again on the labelled rows in memory, truth (b,), from where it stands."""
        traffic, truth = known
        last = 3 * self.horizon
        traffic, truth = traffic.take(slice(-last, None)), truth[-last:]
        if traffic.size < self.least:
            return state
        weight = (1 - 1 / self.horizon) ** np.arange(traffic.size - 1, -1, -1, dtype=np.float64)
        if traffic.answers.ndim == 1:
            rest = (truth - traffic.answers) / state["unit"]
            return {**state, "matrix": ridge_fit(self._values(state, traffic), rest, weight, penalty=self.penalty)}
        matrix, scale = softmax_fit(
            self._numbers(traffic), logs(traffic.answers), truth, weight, (state["matrix"], float(state["scale"])),
            penalty=self.penalty / float(weight.sum()),
        )  # fmt: skip
        norm = float(np.linalg.norm(matrix))
        return {**state, "matrix": matrix * min(1.0, self.reach / max(norm, 1e-12)), "scale": np.array(scale)}

    def _numbers(self, traffic: Traffic) -> Array:
        """Return [1, x, |x|] of rows, (b, d)."""
        ones = np.ones((traffic.size, 1))
        if not self.inputs or traffic.features is None:
            return ones
        return np.concatenate([ones, traffic.features, np.abs(traffic.features) - 0.8], axis=1)

    def _values(self, state: State, traffic: Traffic) -> Array:
        """Return [1, x, |x|, y] of rows, with y in units of the target's spread, (b, d)."""
        own = np.clip((traffic.answers - state["centre"]) / state["unit"], -5, 5)
        return np.concatenate([self._numbers(traffic), own[:, None]], axis=1)
