"""What every net is built from: the shape of the data, an architecture with frozen settings, a name and a seed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

from torch import nn

from temperance.records.errors import SettingError
from temperance.records.registry import Registry
from temperance.records.schema import Task


@dataclass(frozen=True)
class ModelInfo:
    """The shape of the inputs and of the target: all that an architecture may know of the data.

    Attributes:
        numeric: count of numeric inputs after preprocessing.
        cardinalities: per categorical input the count of codes, those for missing and unseen categories included;
            codes are 0 … cardinality − 1.
        outputs: classes (2 for binary too), or 1 for regression.
        task: ``binary``, ``multiclass`` or ``regression`` (the target then has mean 0 and standard deviation 1).
        image_shape: (height, width, channels) as in ``Schema.image_shape``; None for tables.
        train_rows: rows the net will be trained on; sizes are chosen by it.
        edges: per numeric input the rising edges of its piecewise-linear embedding, from ``models.bin_edges`` on the
            preprocessed training rows; None takes even edges, which serve worse.

    """

    numeric: int
    cardinalities: tuple[int, ...]
    outputs: int
    task: Task
    image_shape: tuple[int, int, int] | None = None
    train_rows: int = 1000
    edges: tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        if self.outputs < 1 or self.numeric < 0 or self.train_rows < 1 or any(c < 1 for c in self.cardinalities):
            raise SettingError(
                f"the shape {self!r} is not usable",
                "counts are whole numbers: outputs, train_rows and each cardinality at least 1",
                "Count them on the preprocessed training rows",
            )
        if self.image_shape is None and not self.numeric and not self.cardinalities:
            raise SettingError("a table without inputs", "at least one numeric or categorical input", "Add a column")
        if self.edges is not None and len(self.edges) != self.numeric:
            raise SettingError(
                f"edges of {len(self.edges)} inputs for {self.numeric} numeric inputs",
                "edges for each numeric input, or None",
                "Take them with models.bin_edges from the preprocessed rows",
            )

    @property
    def pairs(self) -> tuple[int, ...]:
        """Numbers of the numeric inputs with at most two values: a net needs no embedding to tell two apart."""
        return tuple(j for j, marks in enumerate(self.edges or ()) if len(marks) == 2)

    @property
    def inputs(self) -> int:
        """Count of input columns."""
        return self.numeric + len(self.cardinalities)


@dataclass(frozen=True)
class Architecture(ABC):
    """Frozen settings of one kind of net; the verb is ``make``."""

    @classmethod
    @abstractmethod
    def sized(cls, info: ModelInfo) -> Self:
        """Return the settings that suit the size of the data."""

    @abstractmethod
    def make(self, info: ModelInfo) -> nn.Module:
        """Build the net; its weights are drawn from torch's global generator, which ``build`` seeds and puts back."""


ARCHITECTURES: Registry[Architecture] = Registry("net", "temperance.models")
