"""What every adapter is: frozen settings and pure functions of an explicit state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any

from numpy.typing import NDArray

from temperance.records.registry import Registry

State = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Adapter(ABC):
    """A change to a model's output that is learned from unlabelled traffic.

    All methods are pure: they return new arrays and leave their arguments as they were, so the guard may run an adapter
    in the shadow, keep snapshots and go back bit for bit. A subclass is a frozen dataclass; its fields are settings.
    """

    @abstractmethod
    def begin(self, reference: State) -> State:
        """Return the neutral state: ``apply`` changes nothing worth speaking of, ``adapt`` has seen nothing.

        Args:
            reference: arrays of ``monitoring.reference.build`` with targets.

        """

    @abstractmethod
    def adapt(self, state: State, predictions: NDArray[Any]) -> State:
        """Return the state after more traffic: what the *source* model predicted (b, c), in order of arrival."""

    @abstractmethod
    def apply(self, state: State, probabilities: NDArray[Any]) -> NDArray[Any]:
        """Return the changed probabilities (b, c) of the source model's ``probabilities`` (b, c)."""

    @abstractmethod
    def log_ratio(self, state: State, other: State, predictions: NDArray[Any]) -> NDArray[Any]:
        """Return log p(row | state) − log p(row | other) per row (b,): how much better ``state`` explains the traffic.

        If ``other`` is right, exp of it has mean at most 1: an e-value against ``other``.
        """

    @abstractmethod
    def fit(self, state: State) -> float:
        """Return a p-value that the traffic is what the adapter assumes (here: the assumption, not the strength)."""

    @abstractmethod
    def slack(self, state: State) -> float:
        """Return the log-ratio per row that the finite reference alone may fake; the guard subtracts it."""

    def shares(self, state: State) -> NDArray[Any] | None:
        """Return the class shares (c,) that the state takes the traffic to have; None where it says nothing of them."""
        return None

    def describe(self, state: State) -> dict[str, Any]:
        """Return JSON-safe figures for logs and reports."""
        return {"settings": asdict(self), "keys": sorted(state)}


ADAPTERS: Registry[Adapter] = Registry("adapter", "temperance.adapters")
