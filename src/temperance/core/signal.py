"""The abstract signal: one measured quantity that controllers read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

from torch import Tensor

from temperance.core.batch import Batch
from temperance.core.leaves import Leaves
from temperance.records.registry import Registry


def _unread(raw: Any) -> Sequence[Batch]:
    """Return batches as they are, where no session reads them."""
    return (raw,)


@dataclass(frozen=True)
class Probe:
    """What a signal may look at. Everything but ``memory`` is read-only.

    Attributes:
        step: optimizer steps done.
        progress: share of the training done, NaN where the length is unknown.
        epoch: epochs done (with fraction), NaN where unknown.
        lr_ratio: learning rate now over its largest so far.
        params: trained weights.
        served: weights that would be shipped now (the same object where no technique averages).
        train: a few clean training batches that the session kept.
        valid: the batches given to ``validate``, where a signal needs them; else empty.
        losses: ``losses(batch, params)`` → (b,) in evaluation mode, no gradient, no technique acting on the batch.
        gradient: ``gradient(batch)`` → gradients of the plain loss at the trained weights, in evaluation mode.
        outputs: ``outputs(batch, params)`` → what the model gives in evaluation mode, no gradient.
        counts: ``counts(batch)`` → how much each row counts in the mean of the loss, (b,); None: each once.
        product: ``product(batch, direction)`` → Hessian of the plain loss at the trained weights times a direction.
        matrices: names of the weight matrices (no biases, norms, embeddings).
        known: numbers that other signals gave at this reading; those named in ``needs`` come first.
        memory: what this signal remembers between readings: tensors, numbers, lists and dicts of them.
        reading: numbers of the held-out rows, measured in one stream at ``validate``: ``valid_loss``,
            ``valid_loss_error``, ``metric``; empty between validations.
        read: ``read(raw)`` → the batches in what a user's loader yields.

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
    outputs: Callable[[Batch, Leaves], Any]
    product: Callable[[Batch, Leaves], Leaves]
    matrices: tuple[str, ...] = ()
    known: Mapping[str, float] = field(default_factory=dict)
    memory: dict[str, Any] = field(default_factory=dict)
    reading: Mapping[str, float] = field(default_factory=dict)
    read: Callable[[Any], Sequence[Batch]] = _unread
    counts: Callable[[Batch], Tensor | None] | None = None


class ObservedPass(NamedTuple):
    """One training pass as ``watch`` sees it: the batch as the model took it, its outputs, and the loss function."""

    batch: Batch
    outputs: Any
    loss: Callable[[Any, Any], Tensor]


@dataclass(frozen=True)
class Signal(ABC):
    """One measured quantity. Class attributes: ``gives`` (names of its numbers), ``when``, ``price``, ``needs``.

    ``when`` is ``step`` for free ones (read many times an epoch) or ``validate`` for those that need passes.
    ``needs_valid`` says that it looks at ``probe.valid``; where no signal does, ``validate`` streams its batches and
    holds none. ``price`` says in words what a reading costs. ``needs`` names numbers of other signals, found in
    ``probe.known``.
    A costly one has a setting ``every``: it is read at every so-manieth occasion only. What readings cost in seconds
    is kept in ``session.signal_seconds``. ``told_by`` is the class of the technique whose notes it reads, where it
    gives nothing without one.
    """

    gives: ClassVar[tuple[str, ...]] = ()
    needs: ClassVar[tuple[str, ...]] = ()
    told_by: ClassVar[str] = ""
    when: ClassVar[Literal["step", "validate"]] = "validate"
    price: ClassVar[str] = "free"
    needs_valid: ClassVar[bool] = True  # the safe side for signals of others

    @abstractmethod
    def measure(self, probe: Probe) -> dict[str, float]:
        """Return the numbers by name; NaN for what cannot be known now."""

    def begin(self, probe: Probe) -> None:  # noqa: B027
        """Look at the weights before the first step; what it notes in ``probe.memory`` is there at every reading."""

    def note(self, notes: Mapping[str, Tensor], memory: dict[str, Any]) -> None:  # noqa: B027
        """Look at what techniques told of a training step (``Pass.notes``); write to ``memory``."""

    def prepare(self, probe: Probe) -> None:  # noqa: B027
        """Look at the weights one step before a reading (signals read by the step that compare two steps)."""

    def watch(self, observed: ObservedPass, memory: dict[str, Any]) -> None:  # noqa: B027
        """Look at a training pass as it happens, without cost worth naming; write to ``memory``."""


signals: Registry[Signal] = Registry("signal", "temperance.signals")


def gives(own: Iterable[Signal] = ()) -> frozenset[str]:
    """Return the names of all numbers that the registered signals, or the user's own, can give."""
    registered = (name for _, cls in signals.items() for name in cls.gives)
    return frozenset(registered).union(*(one.gives for one in own))


def untold(techniques: frozenset[str], own: Iterable[Signal] = ()) -> dict[str, str]:
    """Return the numbers that nothing tells without a technique, and the class of that one.

    Args:
        techniques: classes of those that are there.
        own: signals of the user's.

    """
    every: set[type[Signal]] = {*(cls for _, cls in signals.items()), *(type(one) for one in own)}
    lacking = {cls for cls in every if cls.told_by and cls.told_by not in techniques}
    given = {name for cls in every - lacking for name in cls.gives}
    return {name: cls.told_by for cls in lacking for name in cls.gives if name not in given}


def providers(names: frozenset[str], own: Iterable[Signal] = ()) -> list[Signal]:
    """Return the fewest signals that give ``names`` and what they need, in an order in which each finds its needs.

    Args:
        names: numbers that somebody reads; those that nobody gives are left to the caller.
        own: signals with the user's settings; all of them are taken, in place of the registered ones of their class.

    """
    chosen: dict[str, Signal] = {type(one).__name__: one for one in own}
    wanted = names | {need for one in chosen.values() for need in one.needs}
    known = {name: cls for name, cls in signals.items() if name not in chosen}
    while True:
        new = {name: cls() for name, cls in known.items() if name not in chosen and wanted & set(cls.gives)}
        if not new:
            break
        chosen |= new
        wanted = wanted | {need for one in new.values() for need in one.needs}
    return _in_order(sorted(chosen.values(), key=lambda one: type(one).__name__))


def _in_order(waiting: list[Signal]) -> list[Signal]:
    """Return the signals so that whatever gives a number comes before whatever needs it."""
    ordered: list[Signal] = []
    while waiting:
        open_names = {name for one in waiting for name in one.gives}
        ready = [one for one in waiting if not open_names & set(one.needs)] or waiting
        ordered += ready
        waiting = [one for one in waiting if one not in ready]
    return ordered
