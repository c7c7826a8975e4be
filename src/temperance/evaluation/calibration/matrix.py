"""Structured matrix scaling: every class may lean on every other, the more freely the more rows there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, final

import numpy as np

from temperance.evaluation.base import Array
from temperance.evaluation.calibration.base import Calibrator, Codes, log_softmax
from temperance.evaluation.calibration.temperature import Temperature

_FULL = 30  # with more classes the c² entries outside the diagonal are left out: vector scaling


@final
@dataclass(frozen=True)
class Matrix(Calibrator):
    """log p' = weight·log p + shift + constant.

    Fitted after a temperature T: weight = (I + D) / T with least Σ CE + c·(Σ shiftₐ² + Σ Dₐₐ²) + c(c − 1)·Σ_{a≠b} Dₐᵦ².
    The ridge does not grow with the rows, so many rows outweigh it; entries outside the diagonal, of which there are
    c − 1 times as many, are held as much tighter. ``log p`` is centred per row (its mean over classes taken away).

    Attributes:
        weight: (c, c), row a gives class a.
        shift: (c,).

    References:
        Berta, Holzmüller, Jordan, Bach (2025), Structured matrix scaling for multi-class calibration (probmetrics).

    """

    weight: tuple[tuple[float, ...], ...]
    shift: tuple[float, ...]
    kind = "matrix"

    @classmethod
    def fit(cls, logs: Array, target: Codes, weight: Array | None = None) -> Self:
        """Fit the temperature, then matrix and shift by maximum likelihood with a ridge."""
        temperature = Temperature.fit(logs, target, weight).value
        c = logs.shape[1]
        z = (logs - logs.mean(axis=1, keepdims=True)) / temperature
        eye, free = np.eye(c), np.ones((c, c)) if c <= _FULL else np.eye(c)
        ridge = np.where(eye > 0, c, c * (c - 1))
        once = np.zeros((len(target), c))
        once[np.arange(len(target)), target] = 1.0
        w = np.ones(len(target)) if weight is None else weight

        def objective(flat: Array) -> tuple[float, Array]:
            change, shift = flat[: c * c].reshape(c, c) * free, flat[c * c :]
            q = log_softmax(z + z @ change.T + shift)
            miss = (np.exp(q) - once) * w[:, None]
            loss = -float(w @ q[np.arange(len(target)), target]) + float((ridge * change**2).sum() + c * shift @ shift)
            slope = (miss.T @ z + 2 * ridge * change) * free
            return loss, np.concatenate([slope.ravel(), miss.sum(axis=0) + 2 * c * shift])

        from scipy.optimize import minimize  # costs half a second to load, and only fitting needs it

        found = minimize(
            objective, np.zeros(c * c + c), jac=True, method="L-BFGS-B", options={"maxiter": 200, "ftol": 1e-9}
        ).x
        full = (eye + found[: c * c].reshape(c, c) * free) / temperature
        return cls(tuple(tuple(row) for row in full.tolist()), tuple(found[c * c :].tolist()))

    def scores(self, logs: Array) -> Array:
        """Return (b, c)."""
        z = logs - logs.mean(axis=1, keepdims=True)
        turned: Array = z @ np.asarray(self.weight).T + np.asarray(self.shift)
        return turned

    def shrunk(self, share: float) -> Self:
        """Interpolate weight and shift."""
        full = np.eye(len(self.shift)) * (1 - share) + share * np.asarray(self.weight)
        return type(self)(tuple(tuple(row) for row in full.tolist()), tuple(share * s for s in self.shift))
