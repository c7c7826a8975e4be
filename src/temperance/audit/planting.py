"""How a check proves itself: faults planted in a copy of the data, those it found, and clean ones it blamed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from temperance.audit.base import count_of

HALF = 0.5  # a kind of which fewer are found cannot be seen in this data


@dataclass(frozen=True)
class Kind:
    """One kind of planted fault, in words that follow a number (``exact copies``): how many, how many were found."""

    name: str
    planted: int
    found: int


@dataclass(frozen=True)
class Planting:
    """What a check did with its own faults.

    Attributes:
        kinds: planted faults by kind.
        clean: cases without a fault that the check also looked at.
        false_alarms: how many of these it blamed.
        cases: what a clean case is, in the plural (``shuffled copies``).
        note: a further sentence.

    """

    kinds: tuple[Kind, ...]
    clean: int
    false_alarms: int
    cases: str = "clean rows"
    note: str = ""

    @property
    def planted(self) -> int:
        """Planted faults of all kinds."""
        return sum(kind.planted for kind in self.kinds)

    @property
    def found(self) -> int:
        """Found faults of all kinds."""
        return sum(kind.found for kind in self.kinds)

    @property
    def unseen(self) -> tuple[str, ...]:
        """Kinds of which fewer than half were found."""
        return tuple(kind.name for kind in self.kinds if kind.found < HALF * kind.planted)

    @property
    def sentence(self) -> str:
        """The counts in words; the same form for every check."""
        if not self.planted:
            return self.note or "No fault could be planted in this data."
        each = ", ".join(f"{kind.found} of {kind.planted} {kind.name}" for kind in self.kinds)
        said = f"Planted {count_of(self.planted, 'fault')} in a copy of this data and found {self.found:,}: {each}."
        if self.clean:
            said += f" Of {self.clean:,} {self.cases} it blamed {self.false_alarms:,}."
        return f"{said} {self.note}".rstrip()

    def to_dict(self) -> dict[str, Any]:
        """Return the fields of ``Finding.confidence``."""
        return {
            "self_test": self.sentence,
            "planted": self.planted,
            "found": self.found,
            "false_alarms": self.false_alarms,
            "false_alarms_of": self.clean,
            "kinds": [{"kind": k.name, "planted": k.planted, "found": k.found} for k in self.kinds],
            "unseen": list(self.unseen),
        }
