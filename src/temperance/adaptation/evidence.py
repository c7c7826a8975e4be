"""Evidence that an adaptation helps or harms: sequential tests that hold at any time, and a tail probability."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.adaptation.base import State
from temperance.records.errors import DataError

STAKES = (0.1, 0.25, 0.5, 0.8)


class PairedBets:
    """Paired sequential test of two models on the same labelled rows.

    d = loss of the source − loss of the adapted, in [−1, 1]. Null "no gain": E[d | past] ≤ 0; capital ∏(1 + λd),
    averaged over stakes λ, passes 1/α with chance at most α, ever (Ville). The same for "no harm" with −d.
    """

    def __init__(self) -> None:
        self.logs = np.zeros((2, len(STAKES)))
        self.n = 0

    def observe(self, differences: NDArray[Any]) -> None:
        """Take differences (b,) in order.

        Raises:
            DataError: one is outside [−1, 1].

        """
        d = np.asarray(differences, dtype=np.float64).ravel()
        if len(d) and not np.abs(d).max() <= 1:
            raise DataError("differences outside [-1, 1]", "losses in [0, 1]", "Use 0/1 errors or half Brier scores")
        stakes = np.array(STAKES)[:, None]
        self.logs[0] += np.log1p(stakes * d).sum(axis=1)
        self.logs[1] += np.log1p(-stakes * d).sum(axis=1)
        self.n += len(d)

    @property
    def gain(self) -> float:
        """Evidence (e-value) that the adapted model is better."""
        return _mean_exp(self.logs[0])

    @property
    def harm(self) -> float:
        """Evidence (e-value) that it is worse."""
        return _mean_exp(self.logs[1])

    def state_dict(self) -> State:
        """Return a copy of all that changes."""
        return {"logs": self.logs.copy(), "n": np.array(self.n)}

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from ``state_dict``."""
        self.logs, self.n = np.array(state["logs"]), int(state["n"])


def half_brier(probabilities: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
    """Return ½ Σ_y (p_y − [y = label])² per row (b,), within [0, 1]."""
    p = np.asarray(probabilities, dtype=np.float64)
    hit = np.arange(p.shape[1])[None, :] == np.asarray(labels)[:, None]
    loss: NDArray[np.float64] = 0.5 * ((p - hit) ** 2).sum(axis=1)
    return np.clip(loss, 0.0, 1.0)


def restart(evidence: float, log_ratios: NDArray[Any], *, most: float) -> float:
    """Return the Shiryaev-Roberts statistic R ← (1 + R) · e^l after each log-ratio l, kept at most ``most``.

    Shapes: log-ratios (b,), in order of arrival.
    """
    for ratio in np.asarray(log_ratios, dtype=np.float64).tolist():
        evidence = min(most, (1 + evidence) * math.exp(min(ratio, 700.0)))
    return evidence


def chi_square_tail(statistic: float, freedom: int) -> float:
    """Return P(χ²(freedom) ≥ statistic), by the cube-root normal approximation (Wilson and Hilferty 1931)."""
    if statistic <= 0:
        return 1.0
    variance = 2 / (9 * freedom)
    z = ((statistic / freedom) ** (1 / 3) - (1 - variance)) / math.sqrt(variance)
    return 0.5 * math.erfc(z / math.sqrt(2))


def _mean_exp(logs: NDArray[np.float64]) -> float:
    top = float(logs.max())
    return float(np.exp(logs - top).mean() * math.exp(min(top, 700.0)))
