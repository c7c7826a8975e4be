"""The source model's answers on inputs that were moved back to their usual centre and spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.adaptation.base import State
from temperance.adaptation.experts.base import EXPERTS, Expert
from temperance.adaptation.traffic import Setting, Traffic


@EXPERTS.add
@dataclass(frozen=True)
class Alignment(Expert):
    """Answer as if each numeric column had kept its centre and spread; ``statistics.Statistics`` moves the inputs.

    The normalization statistics of the first layer, followed on the input side, so that it works on any exported model.

    Use when: a unit or a sensor has changed. Avoid when: the cases themselves have changed; labels, or their absence,
    decide (see ``statistics``).

    Reference:
        Schneider et al. (2020), arXiv 2006.16971 (statistics of the target domain, blended with those of the source).

    """

    def begin(self, setting: Setting) -> State | None:
        """Return an empty state."""
        return {"none": np.empty(0)}

    def apply(self, state: State, traffic: Traffic) -> NDArray[Any]:
        """Return the answers on aligned inputs; the source's where nothing was moved."""
        return traffic.answers if traffic.aligned is None else traffic.aligned
