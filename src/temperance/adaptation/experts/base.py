"""What every expert is: frozen settings, and pure functions of an explicit state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from temperance.adaptation.base import State
from temperance.adaptation.traffic import Setting, Traffic
from temperance.records.registry import Registry


@dataclass(frozen=True)
class Expert(ABC):
    """One way to change the source model's answers.

    All methods are pure: they return new arrays and leave their arguments as they were, so that the guard may run an
    expert in the shadow and go back bit for bit. A subclass is a frozen dataclass; its fields are settings.
    """

    @abstractmethod
    def begin(self, setting: Setting) -> State | None:
        """Return the neutral state, or None where the expert has no ground: no inputs, no members, values for classes.

        Args:
            setting: what is known before the first row.

        """

    @abstractmethod
    def apply(self, state: State, traffic: Traffic) -> NDArray[Any]:
        """Return the changed answers of ``traffic``, in the shape of its answers."""

    def adapt(self, state: State, traffic: Traffic) -> State:
        """Return the state after more rows without labels."""
        return state

    def learn(self, state: State, fresh: tuple[Traffic, NDArray[Any]], known: tuple[Traffic, NDArray[Any]]) -> State:
        """Return the state after more labels.

        Args:
            state: before.
            fresh: rows whose labels have come since the last call, with their truth (b,): class codes or values.
            known: all labelled rows in memory, ``fresh`` among them, in order of arrival.

        """
        return state


EXPERTS: Registry[Expert] = Registry("expert", "temperance.experts")
