"""Losses and gradients that are not numbers: noticed at their step, skipped or refused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from temperance.core.batch import Batch, Pass
from temperance.core.replicas import any_of
from temperance.records.errors import RecipeError, SettingError

OnNaN = Literal["raise", "skip", "ignore"]
_LATER = 64  # steps between two looks where a look would make the host wait for the device


class NotFinite(ArithmeticError):
    """A pass whose loss is not a number, or gradients that are not; caught by the executor, never by users."""

    def __init__(self, batch: Batch, passed: Pass, key: int) -> None:
        super().__init__("not finite")
        self.batch, self.passed, self.key = batch, passed, key


class Watch:
    """Looks at each loss.

    Args:
        mode: ``raise`` at a loss that is not a number, ``skip`` the step, or ``ignore`` it.
        device: on the CPU, and where steps are skipped, a loss is looked at before its backward pass; elsewhere 64 of
            them together, since each look waits for the device.

    """

    def __init__(self, mode: OnNaN, device: torch.device) -> None:
        if mode not in ("raise", "skip", "ignore"):
            raise SettingError(f"nan={mode!r}", "'raise', 'skip' or 'ignore'", "Pick one of these")
        self.skips = mode == "skip"
        self.at_once = self.skips or (mode == "raise" and device.type == "cpu")
        self.later = mode == "raise" and not self.at_once
        self._kept: list[Tensor] = []

    def refuses(self, loss: Tensor) -> bool:
        """Return whether this loss must not be trained on.

        Shapes: loss ().
        """
        if not self.at_once:
            return False
        bad = not math.isfinite(loss.item())
        return any_of(bad, loss.device) if self.skips else bad  # replicas leave out the same steps

    def keep(self, loss: Tensor, steps: int) -> None:
        """Keep a loss for a later look; ``steps`` are those done before it.

        Shapes: loss ().
        """
        self._kept.append(loss.detach())
        if len(self._kept) >= _LATER:
            self.look(steps + 1)

    def look(self, steps: int) -> None:
        """Look at the losses that were kept up to now.

        Raises:
            RecipeError: one was not a number.

        """
        kept, self._kept = self._kept, []
        if not kept:
            return
        bad = (~torch.isfinite(torch.stack(kept))).nonzero().flatten().tolist()
        if bad:
            first = steps - len(kept) + bad[0] + 1
            raise refusal(first, "it was found later, so what made it is not known; run this step on the CPU to know")


def refusal(step: int, cause: str) -> RecipeError:
    """Return the error that names the step (the first is 1) and what made the numbers go wrong."""
    return RecipeError(
        f"the loss of step {step} is not a finite number: {cause}",
        "losses and gradients that are finite",
        "Mend what is named, or leave such batches out: recipe.attach(…, nan='skip')",
    )


def finite(tensors: Sequence[Tensor]) -> bool:
    """Return whether all numbers are finite; sparse gradients by their values.

    Shapes: any.
    """
    return all(bool(torch.isfinite(t._values() if t.is_sparse else t).all()) for t in tensors)
