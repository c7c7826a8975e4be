"""AutoAttack's standard set through the package ``pyautoattack``, where it is installed and where it has a meaning."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import torch
from torch import Tensor

from temperance.evaluation.adversarial.ball import Ball
from temperance.evaluation.adversarial.victim import Victim
from temperance.records.errors import MissingExtra

LEAST_CLASSES = 4  # the targeted loss of the set is not defined below


def why_not(victim: Victim, x: Tensor) -> str:
    """Return why the set cannot be run on this model, or an empty text.

    Shapes: x (b, …).
    """
    if victim.gradient != "exact":
        return "AutoAttack needs slopes"
    if x.dim() != 4 or victim.free is not None:
        return "AutoAttack attacks whole pictures only"
    if victim.low != 0.0 or victim.high != 1.0:
        return "AutoAttack wants numbers from 0 to 1"
    if victim.scores(x[:1]).shape[1] < LEAST_CLASSES:
        return f"AutoAttack needs at least {LEAST_CLASSES} classes"
    return ""


def standard(victim: Victim, x: Tensor, y: Tensor, ball: Ball, *, seed: int = 0, batch: int = 250) -> Tensor:
    """Run AutoAttack (standard) and return its points.

    Shapes: x (b, c, h, w), y (b,) → (b, c, h, w).

    Raises:
        MissingExtra: the package is not installed.

    """
    made = _package()(
        victim.function, norm=ball.name, eps=ball.eps, version="standard", seed=seed, device="cpu"
    )  # fmt: skip
    wrong_classes = victim.scores(x[:1]).shape[1] - 1
    for targeted in (made.apgd_targeted, made.fab):  # the set aims at nine classes, also where there are fewer
        targeted.n_target_classes = min(targeted.n_target_classes, wrong_classes)
    with torch.enable_grad(), contextlib.redirect_stdout(io.StringIO()):
        found = made.run_standard_evaluation(x, y, batch_size=batch)
    points: Tensor = found[0] if isinstance(found, tuple) else found
    return points.detach()


def _package() -> Any:
    try:
        from pyautoattack import AutoAttack  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise MissingExtra(
            "pyautoattack is not installed", "it runs AutoAttack (standard) in the suite 'publish'",
            "pip install pyautoattack==0.2.0",
        ) from error  # fmt: skip
    return AutoAttack
