"""One shared pressure in [-1, 1] that moves many strengths at once.

At 0 every strength stands where the user set it, at -1 all are neutral, at 1 all are as strong as their declaration
allows; between, each follows its own scale:

    position = p0 + u (1 - p0)   for u >= 0,      p0 (1 + u)   for u < 0,      p0 = position of the user's value
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from temperance.control.base import Memory, Specs, Values, adaptive, inside, nested, shape_of

Array = NDArray[np.float64]


def begin_pressure(strengths: Values, specs: Specs) -> Memory:
    """Return the memory of a rule that moves all adaptive strengths by one pressure.

    ``floor`` and ``ceiling`` are the ends past which the pressure would do nothing: a state that ran past them would
    have to come back before anything moved (wind-up).
    """
    moved = {address: strengths[address] for address in adaptive(strengths, specs)}
    shape = shape_of(strengths)
    places = [np.broadcast_to(specs[a].to_pressure(v), shape) for a, v in moved.items()] or [np.full(shape, 0.5)]
    return {
        "pressure": np.zeros(shape),
        "floor": np.where(np.max(places, axis=0) <= 0.0, 0.0, -1.0),
        "ceiling": np.where(np.min(places, axis=0) >= 1.0, 0.0, 1.0),
        "base": np.zeros(shape),
        "base_epoch": np.full(shape, np.nan),
        **nested("start", {address: np.array(value, dtype=np.float64) for address, value in moved.items()}),
    }


def under_pressure(pressure: Array, strengths: Values, memory: Memory, specs: Specs) -> Values:
    """Return the strengths at ``pressure``; where it equals the pressure in ``memory``, they stay as they are."""
    held = pressure == memory["pressure"]
    values: Values = {}
    for address, start in inside("start", memory).items():
        spec = specs[address]
        origin = spec.to_pressure(start)
        place = np.where(pressure >= 0, origin + pressure * (1.0 - origin), origin * (1.0 + pressure))
        moved = np.where(pressure == 0, start, spec.from_pressure(place))
        values[address] = np.where(held, strengths[address], moved)
    return values


def limited(wanted: Array, current: Array, memory: Memory, epoch: Array, rate: float) -> tuple[Array, Memory]:
    """Return ``wanted`` kept within ``rate`` of where the current epoch began, and the memory of that beginning.

    Args:
        wanted: proposed state.
        current: state before the move.
        memory: holds ``base`` and ``base_epoch``.
        epoch: epochs done; NaN makes every call an epoch of its own.
        rate: largest change per epoch.

    """
    whole = np.floor(epoch)
    fresh = np.isnan(whole) | (whole != memory["base_epoch"])
    base = np.where(fresh, current, memory["base"])
    return np.clip(wanted, base - rate, base + rate), {"base": base, "base_epoch": whole}
