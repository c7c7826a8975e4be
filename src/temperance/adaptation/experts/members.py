"""Which members of the source model speak: their weights follow how well each did lately. Needs no gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.adaptation.base import State
from temperance.adaptation.experts.base import EXPERTS, Expert
from temperance.adaptation.traffic import FLOOR, Setting, Traffic
from temperance.records.errors import SettingError


@EXPERTS.add
@dataclass(frozen=True)
class Members(Expert):
    """Weigh the members of the shipped model anew: fixed share over members (Herbster and Warmuth 1998).

    w ← (1 − α) · w · exp(−loss) / Σ + α · w₀, with the log loss of each member (classes) or half its squared error over
    the running mean squared error of the source model (values); w₀ are the shipped shares. Served: the shipped answer,
    changed by the ratio of the two mixtures, p′ ∝ p · Σ w p_m / Σ w₀ p_m, so that a calibration after the mixture stays
    (values: y′ = y + Σ (w − w₀) y_m). At w = w₀ that is the shipped answer.

    Use when: members differ (slots of different strengths, a linear model beside a net), and labels come, even late.
    Avoid when: there is one member.

    Attributes:
        forget: α, how much of the weights goes back to the shipped shares with each label.
        rate: how fast losses count.

    Reference:
        Herbster, Warmuth (1998), "Tracking the best expert", Machine Learning 32.

    """

    forget: float = 0.01
    rate: float = 0.5

    def __post_init__(self) -> None:
        if not (0 < self.forget < 1 and self.rate > 0):
            raise SettingError(
                f"forget={self.forget}, rate={self.rate}", "0 < forget < 1, rate > 0", "Use the defaults"
            )

    def begin(self, setting: Setting) -> State | None:
        """Return the shipped shares; None where fewer than two members are known."""
        if setting.shares is None or len(setting.shares) < 2:
            return None
        return {
            "shipped": setting.shares, "weights": setting.shares.copy(),
            "error": np.array(setting.error * setting.scale**2),
        }  # fmt: skip

    def apply(self, state: State, traffic: Traffic) -> NDArray[Any]:
        """Return the answers of the members weighed anew, (b, c) or (b,)."""
        if traffic.members is None:
            return traffic.answers
        if traffic.answers.ndim == 1:
            return np.asarray(traffic.answers + traffic.members @ (state["weights"] - state["shipped"]))
        now, before = (np.einsum("bkc,k->bc", traffic.members, state[name]) for name in ("weights", "shipped"))
        raw = traffic.answers * (np.maximum(now, FLOOR) / np.maximum(before, FLOOR))
        return np.asarray(raw / raw.sum(axis=1, keepdims=True))

    def learn(self, state: State, fresh: tuple[Traffic, NDArray[Any]], known: tuple[Traffic, NDArray[Any]]) -> State:
        """Move the weights, label by label."""
        traffic, truth = fresh
        if traffic.members is None or not traffic.size:
            return state
        error = float(state["error"])
        if traffic.answers.ndim == 1:
            squares = (traffic.answers - truth) ** 2
            error = 0.98 * error + 0.02 * float(squares.mean())
            losses = (traffic.members - truth[:, None]) ** 2 / (2 * max(error, 1e-12))
        else:
            losses = -np.log(np.maximum(traffic.members[np.arange(traffic.size), :, truth.astype(np.int64)], FLOOR))
        weights = state["weights"]
        for loss in self.rate * losses:
            raised = weights * np.exp(loss.min() - loss)
            weights = (1 - self.forget) * raised / raised.sum() + self.forget * state["shipped"]
        return {**state, "weights": weights, "error": np.array(error)}
