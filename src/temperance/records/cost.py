"""What a technique is declared to cost, and what a trial was measured to cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from temperance.records.restore import Restored


@dataclass(frozen=True)
class Cost:
    """The declared cost of a technique per step, checked by counting in the conformance suite.

    Attributes:
        forwards: forward passes per step in all (a plain step has 1).
        backwards: backward passes per step in all (a plain step has 1).
        copies: copies of the parameters kept in memory.
        inference: forward passes per prediction (1 for nearly all).
        note: when the count is an average or depends on a setting.

    """

    forwards: float = 1.0
    backwards: float = 1.0
    copies: int = 0
    inference: float = 1.0
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return asdict(self)


@dataclass(frozen=True)
class TrialCost(Restored):
    """The measured cost of a trial; None where it was not measured.

    Attributes:
        seconds: training time (wall clock of one process, one thread).
        passes: forward and backward passes over one batch, in all.
        peak_memory_bytes: largest resident memory of the process while training.
        latency_1_ms: median time of a prediction for one row.
        latency_256_ms: median time of a prediction for 256 rows.
        parameters: count of numbers that the model has learned.
        flops: multiply-adds × 2 of one row's prediction.
        bytes: size of the model on disk.

    """

    seconds: float | None = None
    passes: int | None = None
    peak_memory_bytes: int | None = None
    latency_1_ms: float | None = None
    latency_256_ms: float | None = None
    parameters: int | None = None
    flops: int | None = None
    bytes: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return asdict(self)
