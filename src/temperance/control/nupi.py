"""The nuPI step: a proportional-integral rule on a smoothed error.

    xi_t    = nu xi_{t-1} + (1 - nu) e_t
    delta_t = ki e_t + kp (xi_t - xi_{t-1})

The state moves by ``delta_t`` and is clipped by the caller. The incremental form with a clipped state has no integral
that could wind up. (kp, ki, nu) = (0, 1, 0) is gradient ascent, (1, 1, 0) the optimistic gradient.

Source: Sohrabi, Ramirez, Zhang, Lacoste-Julien, Gallego-Posada, "On PI controllers for updating Lagrange multipliers in
constrained optimization", ICML 2024, arXiv:2406.04558.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Init = Literal["sgd", "zeros"]
Array = NDArray[np.float64]


def nupi(error: Array, xi: Array, *, kp: float, ki: float, nu: float, init: Init = "sgd") -> tuple[Array, Array]:
    """Return (delta, new xi), elementwise.

    Args:
        error: signal minus target; NaN holds (delta 0, xi kept).
        xi: smoothed error of the last call; NaN before the first.
        kp: proportional gain.
        ki: integral gain.
        nu: smoothing of the error, in [0, 1).
        init: xi before the first call: ``sgd`` takes it as the first error, so that the first step is ``ki e_0``;
            ``zeros`` takes 0, so that it is ``(ki + kp (1 - nu)) e_0``.

    """
    first = np.isnan(xi)
    previous = np.where(first, error if init == "sgd" else 0.0, xi)
    smoothed = nu * previous + (1.0 - nu) * error
    if init == "sgd":
        smoothed = np.where(first, error, smoothed)
    delta = ki * error + kp * (smoothed - previous)
    dead = np.isnan(error)
    return np.where(dead, 0.0, delta), np.where(dead, xi, smoothed)
