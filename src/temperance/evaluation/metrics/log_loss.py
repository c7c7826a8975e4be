"""How surprised the model was by the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from temperance.evaluation.base import CLASSIFICATION, CLIP, Array, Metric, Outcome


@final
@dataclass(frozen=True)
class LogLoss(Metric):
    """Mean of −ln p(true class), with p kept at 1e-7 or more."""

    name = "log_loss"
    better = "lower"
    tasks = CLASSIFICATION
    weighs = True
    words = "how far off the stated chances are; confident mistakes cost most (0 is perfect)"
    convention = "natural logarithm, probabilities clipped at 1e-7; Student interval on the log scale"
    scale = "positive"

    def contributions(self, outcome: Outcome) -> Array:
        """Return −ln p of the true class."""
        chance = outcome.prediction[np.arange(outcome.n), outcome.target]
        loss: Array = -np.log(np.clip(chance, CLIP, 1.0))
        return loss
