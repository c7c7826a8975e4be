"""Class shares without labels: the adapter ``LabelShift`` as one of the experts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from temperance.adaptation.adapters.label_shift import LabelShift
from temperance.adaptation.base import State
from temperance.adaptation.experts.base import EXPERTS, Expert
from temperance.adaptation.traffic import Setting, Traffic
from temperance.records.errors import DataError


@EXPERTS.add
@dataclass(frozen=True)
class Shares(Expert):
    """Re-weight classes by how much more or less common each has become, as unlabelled traffic tells.

    See ``adapters.label_shift``. Use when: labels come late and outcomes become rarer or more common meanwhile.
    Avoid when: inputs change for other reasons; the weights of the experts then fall to the others.

    Attributes:
        horizon: rows over which the past is forgotten.

    """

    horizon: int = 1000

    def begin(self, setting: Setting) -> State | None:
        """Return the state with weights of 1; None for values, or where too few classes have reference rows."""
        if not setting.classes or setting.reference is None:
            return None
        try:
            return self._adapter.begin(setting.reference)
        except DataError:  # the adapter says why; among several experts its absence is no fault
            return None

    def apply(self, state: State, traffic: Traffic) -> NDArray[Any]:
        """Return the re-weighted probabilities (b, c)."""
        return self._adapter.apply(state, traffic.answers)

    def adapt(self, state: State, traffic: Traffic) -> State:
        """Let the class shares follow the rows."""
        return self._adapter.adapt(state, traffic.answers)

    @property
    def _adapter(self) -> LabelShift:
        return LabelShift(horizon=self.horizon)
