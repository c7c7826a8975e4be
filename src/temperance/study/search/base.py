"""The abstract proposer: asks for nothing but earlier results."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from temperance.study.spec import TrialSpec


class Proposer(ABC):
    """Proposes trials one by one and is told how they went. Deterministic by its seed and what it was told.

    Attributes:
        least_share: of its epochs that a proposed net is still worth starting with, where no whole one fits the time.

    """

    least_share: ClassVar[float] = 0.25

    @abstractmethod
    def propose(self) -> TrialSpec | None:
        """Return the next trial (its ``id`` is given by the study), or None when there is nothing left to try."""

    @abstractmethod
    def observe(self, spec: TrialSpec, quality: float | None) -> None:
        """Hear the mean loss of a finished trial, None for one that was discarded or failed."""
