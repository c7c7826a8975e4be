"""What an answer costs, bounded: wrong answers and Brier scores of classes, squared errors of values, cut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.adaptation.base import State
from temperance.adaptation.evidence import half_brier

BOUND = 3.0  # squared errors count up to so many times the source model's mean in the reference
NORMAL = 0.455  # median of a squared error over its mean, for normal errors
DOUBT = 4.0  # ratio of medians up to which wrong labels alone may have raised the errors
KEPT = 256


class Losses:
    """Bounded losses in [0, 1]; values: min((m − y)², h) / h with a height h that follows what the source model errs.

    h = 3 · mse · max(1, median of the source's last 256 squared errors / (4 · 0.455 mse)), mse of the reference. A low
    height keeps wrong labels from faking a gain: the source's error on them is cut, and so is that of any other answer.
    Where the whole law has moved, every error is above a low height and no step towards the right answer would count;
    so it rises with the *median*: a third of wrong labels raises that threefold, a law that moved by two standard
    errors tenfold.

    Args:
        classes: count; 0 for values.
        error: mean squared error of the source model in the reference (values).

    """

    def __init__(self, classes: int, error: float) -> None:
        self.classes, self.error = classes, max(error, 1e-300)
        self.squares = np.empty(0)

    @property
    def height(self) -> float:
        """The squared error that counts as 1; 1 for classes."""
        if self.classes:
            return 1.0
        median = float(np.median(self.squares)) if len(self.squares) == KEPT else 0.0
        return BOUND * self.error * max(1.0, median / (DOUBT * NORMAL * self.error))

    def see(self, source: NDArray[Any], truth: NDArray[Any]) -> None:
        """Take answers (b,) of the source model whose labels (b,) have come; classes need none."""
        if not self.classes:
            self.squares = np.concatenate([self.squares, (source - truth) ** 2])[-KEPT:]

    def between(
        self, source: NDArray[Any], new: NDArray[Any], truth: NDArray[Any]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return loss and error of the source minus those of the change, (b,) each; errors of values are the losses.

        Shapes: answers (b, c) or (b,) · truth (b,) class codes or values.
        """
        if not self.classes:
            most = self.height
            lost = [np.minimum((one - truth) ** 2, most) / most for one in (source, new)]
            return lost[0] - lost[1], lost[0] - lost[1]
        known = truth.astype(np.int64)
        wrong = [(one.argmax(axis=1) != known).astype(np.float64) for one in (source, new)]
        return half_brier(source, known) - half_brier(new, known), wrong[0] - wrong[1]

    def state_dict(self) -> State:
        """Return what changes."""
        return {"squares": self.squares.copy()}

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where ``state_dict`` was taken."""
        self.squares = np.array(state["squares"])
