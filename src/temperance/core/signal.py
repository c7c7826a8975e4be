"""The abstract signal: one measured quantity that controllers read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from temperance.core.batch import Batch
from temperance.core.leaves import Leaves
from temperance.records.registry import Registry


@dataclass(frozen=True)
class Probe:
    """What a signal may look at. Everything is read-only.

    Attributes:
        step: optimizer steps done.
        progress: share of the training done, NaN where the length is unknown.
        epoch: epochs done (with fraction), NaN where unknown.
        lr_ratio: learning rate now over its largest so far.
        params: trained weights.
        served: weights that would be shipped now (the same object where no technique averages).
        train: a few clean training batches that the session kept.
        valid: the batches given to ``validate``; empty between validations.
        losses: ``losses(batch, params)`` → (b,) in evaluation mode, no gradient, no technique acting on the batch.
        gradient: ``gradient(batch)`` → gradients of the plain loss at the trained weights, in evaluation mode.

    """

    step: int
    progress: float
    epoch: float
    lr_ratio: float
    params: Leaves
    served: Leaves
    train: Sequence[Batch]
    valid: Sequence[Batch]
    losses: Callable[[Batch, Leaves], Tensor]
    gradient: Callable[[Batch], Leaves]


@dataclass(frozen=True)
class Signal(ABC):
    """One measured quantity. Class attributes: ``gives`` (names of its numbers), ``when``, ``price``.

    ``when`` is ``step`` for free ones (read many times an epoch) or ``validate`` for those that need passes.
    ``price`` says in words what a reading costs.
    """

    gives: ClassVar[tuple[str, ...]] = ()
    when: ClassVar[Literal["step", "validate"]] = "validate"
    price: ClassVar[str] = "free"

    @abstractmethod
    def measure(self, probe: Probe) -> dict[str, float]:
        """Return the numbers by name; NaN for what cannot be known now."""


signals: Registry[Signal] = Registry("signal", "temperance.signals")


def providers(names: frozenset[str]) -> list[Signal]:
    """Return the fewest registered signals that give ``names``; names that nobody gives are left to the caller."""
    chosen = [cls() for _, cls in signals.items() if names & set(cls.gives)]
    return sorted(chosen, key=lambda s: type(s).__name__)


def mean_and_error(losses: Tensor) -> tuple[float, float, int]:
    """Return the mean of (b,) losses, its standard error, and b."""
    n = losses.numel()
    values = losses.detach().to(torch.float64)
    error = float(values.std(unbiased=True)) / n**0.5 if n > 1 else float("nan")
    return float(values.mean()), error, n
