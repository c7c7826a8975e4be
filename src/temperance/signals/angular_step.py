"""How far one step turns and moves the weight matrices."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from temperance.control.base import require
from temperance.core.devices import widened
from temperance.core.signal import Probe, Signal, signals


@signals.add
@dataclass(frozen=True)
class AngularStep(Signal):
    """Compare the weight matrices before and after one step of the optimizer.

        angular_step = mean over matrices of the angle between W and W + ΔW, in radians
        relative_step = mean over matrices of ‖ΔW‖ / ‖W‖

    Each matrix' own numbers are ``angular_step/<name>`` and ``relative_step/<name>``. Where a normalization follows,
    the angle is the real step size, and weight decay sets its equilibrium.

    Args:
        every: read at every so-manieth occasion.

    Source: Kosson et al. (2024), arXiv:2305.17212, section 3.

    """

    every: int = 1

    gives: ClassVar[tuple[str, ...]] = ("angular_step", "relative_step")
    when: ClassVar[Literal["step", "validate"]] = "step"
    price: ClassVar[str] = "a copy of the weight matrices before, and a pass over them after, the step that is read"

    def __post_init__(self) -> None:
        require("AngularStep", "every", self.every, 1, 1_000_000, whole=True)

    def prepare(self, probe: Probe) -> None:
        """Copy the matrices."""
        probe.memory["step"] = probe.step
        probe.memory["before"] = {name: probe.params[name].detach().clone() for name in probe.matrices}

    def measure(self, probe: Probe) -> dict[str, float]:
        """Return means and the numbers of each matrix; NaN where the copy is not from the step before."""
        if probe.memory.get("step") != probe.step - 1 or not probe.matrices:
            return {"angular_step": math.nan, "relative_step": math.nan}
        before = probe.memory["before"]
        angles = {f"angular_step/{n}": angle(before[n], probe.params[n].detach()) for n in probe.matrices}
        sizes = {f"relative_step/{n}": relative(before[n], probe.params[n].detach()) for n in probe.matrices}
        return {"angular_step": _mean(angles), "relative_step": _mean(sizes), **angles, **sizes}


def angle(before: Tensor, after: Tensor) -> float:
    """Return the angle between two tensors in radians, exact for small ones; NaN where one is zero.

    angle = 2·atan2(‖u − v‖, ‖u + v‖) with u, v of length 1: arccos would lose half of the digits.

    Shapes: both alike, any shape.
    """
    a, b = widened(before).flatten(), widened(after).flatten()
    first, second = torch.linalg.vector_norm(a), torch.linalg.vector_norm(b)
    u, v = a / first, b / second
    return float(2 * torch.atan2(torch.linalg.vector_norm(u - v), torch.linalg.vector_norm(u + v)))


def relative(before: Tensor, after: Tensor) -> float:
    """Return ‖after − before‖ / ‖before‖; NaN or infinite where ``before`` is zero.

    Shapes: both alike, any shape.
    """
    a, b = widened(before), widened(after)
    return float(torch.linalg.vector_norm(b - a) / torch.linalg.vector_norm(a))


def _mean(values: dict[str, float]) -> float:
    known = [v for v in values.values() if math.isfinite(v)]
    return sum(known) / len(known) if known else math.nan
