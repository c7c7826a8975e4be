"""What a session is to the parts that act on it: checkpoint, proof and readings know this, not the session's file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from temperance.control.base import Move
from temperance.core.batch import Batch
from temperance.core.intake import Intake
from temperance.core.leaves import Leaves
from temperance.core.metering import Meter
from temperance.core.recipe import Recipe
from temperance.core.regularizer import Memory, Strengths, Undo
from temperance.core.selection import Readings
from temperance.core.signal import Probe
from temperance.core.solo import Solo
from temperance.core.state import SessionState
from temperance.core.statistics import Moved


class Attached(Protocol):
    """A recipe attached to a model and an optimizer; ``Session`` is the one class that is it."""

    recipe: Recipe
    module: nn.Module
    model: nn.Module
    optimizer: torch.optim.Optimizer
    solo: Solo
    readings: Readings
    trace: list[Move]
    signals: dict[str, float]
    stopped: bool
    steps: int
    epoch: int
    seed: int
    steps_per_epoch: int | None
    _lr_max: float
    _strengths: dict[str, Strengths]
    _memory: dict[str, Memory]
    _control: dict[str, Any]
    _meter: Meter
    _heard: set[str]
    _clean: list[Batch]
    _keeps: bool
    _moved: Moved
    _reader: Intake
    schedulers: list[Any]
    epochs: int | None
    left_out: list[int]
    _closed: str
    _clean_batches: int
    _own: tuple[Leaves, Moved] | None
    _start: list[float] | None
    _last_loss: Tensor | None
    _told: list[str]
    _undo: list[Undo]
    _uncompared: int
    _beside: RemovableHandle | None
    _written: int

    @property
    def planned_steps(self) -> int:
        """Optimizer steps of the whole run, 0 where unknown."""

    @property
    def served(self) -> Leaves:
        """The weights that would be shipped now."""

    def probe(self) -> Probe:
        """Return what signals may look at now."""

    def _values(self) -> dict[str, Any]: ...

    def _set(self, values: Mapping[str, Any]) -> None: ...

    def _steer(self, valid: Iterable[Batch], reading: Mapping[str, float]) -> None: ...

    def snapshot(self) -> SessionState:
        """Return the whole training state as one value."""

    def restore(self, state: SessionState) -> None:
        """Go back to a ``snapshot``."""

    def state_dict(self) -> dict[str, Any]:
        """Return the whole training state."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state_dict``."""
