"""What every drift detector is: frozen settings, one explicit state, one verb."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.errors import DataError, SettingError
from temperance.records.registry import Registry
from temperance.records.verdict import Verdict

State = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Detector(ABC):
    """A drift test on one stream of numbers.

    A subclass is a frozen dataclass: its fields are settings. All that changes lives in ``state``, a flat dict of NumPy
    arrays, so a detector is saved with ``np.savez(path, **detector.state_dict())`` and goes on exactly where it was.

    Attributes:
        channel: name of what is watched; goes into every verdict.
        state: the arrays that change; do not edit by hand.

    """

    channel: str = "values"
    state: State = field(default_factory=dict, compare=False, repr=False)

    @abstractmethod
    def start(self, reference: NDArray[Any]) -> None:
        """Forget everything and take ``reference`` (m,) as what is normal."""

    @abstractmethod
    def observe(self, values: NDArray[Any]) -> Verdict:
        """Take new values (b,) in order of arrival and decide."""

    def state_dict(self) -> State:
        """Return a copy of all that changes."""
        return {name: array.copy() for name, array in self.state.items()}

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from ``state_dict`` of a detector with the same settings."""
        self.state.clear()
        self.state.update({name: np.array(array) for name, array in state.items()})

    def ready(self) -> State:
        """Return the state.

        Raises:
            SettingError: the detector was not started.

        """
        if not self.state:
            raise SettingError(
                f"detector of {self.channel!r} has no reference", "a started one", "Call start(reference) first"
            )
        return self.state


def column(values: NDArray[Any], *, what: str) -> NDArray[np.float64]:
    """Return ``values`` as float64 (b,), or raise ``DataError`` when they are not a flat list of numbers.

    Raises:
        DataError: it has another shape, or what is no number.

    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise DataError(f"{what} has shape {array.shape}", "one axis (b,)", "Flatten it or watch each column alone")
    return array


DETECTORS: Registry[Detector] = Registry("detector", "temperance.detectors")
