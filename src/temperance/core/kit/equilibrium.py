"""What a learning rate and a decay mean together: a timescale, an angle per step, a norm.

Under decoupled decay, weights are an average of their updates that looks back 1/(η·λ) steps. Where only the direction
of a weight counts, it settles where decay and updates balance, and then turns by a fixed angle a step.

References: Wang and Aitchison (2025), arXiv:2405.13698, section 2; Kosson, Messmer and Jaggi (2024),
arXiv:2305.17212, table 1.
"""

from __future__ import annotations

import math

from temperance.records.errors import SettingError


def timescale_epochs(lr: float, decay: float, steps_per_epoch: int) -> float:
    """Return τ = 1/(η·λ·M) in epochs; infinite without decay."""
    _positive(lr=lr, steps_per_epoch=steps_per_epoch)
    return 1.0 / (lr * decay * steps_per_epoch) if decay > 0 else math.inf


def decay_for(timescale: float, lr: float, steps_per_epoch: int) -> float:
    """Return λ = 1/(η·τ·M): the decay that gives a timescale in epochs."""
    _positive(timescale=timescale, lr=lr, steps_per_epoch=steps_per_epoch)
    return 1.0 / (lr * timescale * steps_per_epoch)


def equilibrium_angle(lr: float, decay: float, momentum: float = 0.9) -> float:
    """Return the angle per step in radians under Adam, √(2·η·λ·(1 − β₁)/(1 + β₁)).

    It holds for weights whose gradients are nearly at right angles to them, once about ten times 1/(2·η·λ) steps have
    passed.

    Raises:
        SettingError: momentum outside [0, 1).

    """
    _positive(lr=lr)
    if not 0 <= momentum < 1:
        raise SettingError(f"equilibrium_angle got momentum={momentum!r}", "it lies in [0, 1)", "Give Adam's first β")
    return math.sqrt(2.0 * lr * decay * (1.0 - momentum) / (1.0 + momentum))


def equilibrium_norm(lr: float, decay: float, size: int) -> float:
    """Return the norm at which ``size`` weights under Adam settle, √(size·η/(2·λ)); infinite without decay."""
    _positive(lr=lr, size=size)
    return math.sqrt(size * lr / (2.0 * decay)) if decay > 0 else math.inf


def settling_steps(lr: float, decay: float, foldings: float = 10.0) -> float:
    """Return the steps until the balance holds: ``foldings`` times 1/(2·η·λ)."""
    _positive(lr=lr)
    return foldings / (2.0 * lr * decay) if decay > 0 else math.inf


def _positive(**numbers: float) -> None:
    for name, value in numbers.items():
        if not value > 0:
            raise SettingError(f"got {name}={value!r}", f"{name} must be above 0", f"Give the {name} of the training")
