"""The scale of a loss in half precision: gradients are divided by it, overflows are noticed, the scale follows."""

from __future__ import annotations

from typing import Any

import torch

from temperance.core.finite import finite
from temperance.core.holdings import Holdings
from temperance.core.leaves import Leaves

_LEAST_SCALE = 2.0**-10  # 26 overflows in a row from torch's first scale


class Scaling:
    """A user's ``GradScaler`` and what it needs to know of the step; without one nothing is scaled.

    The scale is moved by hand, because ``GradScaler.step`` would call the optimizer before the techniques do.

    Attributes:
        scaler: the user's, or None.
        overflow: whether the gradients of the running step are not finite.
        calm: updates since the scale grew or an overflow shrank it.

    """

    def __init__(self, scaler: Any) -> None:
        self.scaler, self.overflow, self.calm = scaler, False, 0

    @property
    def is_hopeless(self) -> bool:
        """Whether so many updates overflowed in a row that no scale mends it."""
        return bool(self.scaler.get_scale() < _LEAST_SCALE)

    def unscale(self, grads: Leaves, holdings: Holdings) -> None:
        """Divide all gradients by the scale, those of parameters that are not the model's included."""
        share = 1.0 / self.scaler.get_scale()
        grads.mul_(share)
        for g in holdings.gradients():
            g.mul_(share)
        self._look(grads, holdings)

    def overflowed(self, grads: Leaves, holdings: Holdings) -> bool:
        """Return whether this update must be left out, and move the scale as ``GradScaler.update`` does."""
        scale = self.scaler.get_scale()
        self._look(grads, holdings)
        if self.overflow:
            self.scaler.update(scale * self.scaler.get_backoff_factor())
            self.calm = 0
            return True
        self.calm += 1
        grow = self.calm >= self.scaler.get_growth_interval()
        self.scaler.update(scale * self.scaler.get_growth_factor() if grow else scale)
        self.calm = 0 if grow else self.calm
        return False

    def _look(self, grads: Leaves, holdings: Holdings) -> None:
        broken = not bool(torch.isfinite(grads.norm())) or not finite(holdings.gradients())
        self.overflow = self.overflow or broken
