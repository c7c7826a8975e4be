"""One thing that is looked at, and what was found."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

FINE, LOOK, BROKEN, ABSENT = "fine", "look", "broken", "absent"
STATES = (FINE, LOOK, BROKEN, ABSENT)


@dataclass(frozen=True)
class Condition:
    """What was found about one thing.

    Attributes:
        name: what was looked at, in a word or two.
        state: ``fine``; ``look``: it works, but see the remedy; ``broken``: it does not work; ``absent``: an optional
            thing that is not installed, which is fine.
        said: one sentence with what was found.
        remedy: what to do; empty where there is nothing to do.
        facts: the figures behind the sentence.

    """

    name: str
    state: str
    said: str
    remedy: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return asdict(self)


@dataclass(frozen=True)
class Check(ABC):
    """Looks at one aspect."""

    name: ClassVar[str]

    @abstractmethod
    def examine(self) -> Iterator[Condition]:
        """Yield what was found; may raise, which is a finding too."""


def examined(checks: Sequence[Check]) -> Iterator[Condition]:
    """Yield what all checks found; one that fails itself is reported as broken and stops none of the others."""
    for check in checks:
        try:
            yield from check.examine()
        except Exception as fault:
            text = " ".join(str(fault).split())[:300]
            yield Condition(
                check.name, BROKEN, f"This could not be looked at: {type(fault).__name__}: {text}",
                "Report this line; it should not happen", {"error": type(fault).__name__},
            )  # fmt: skip


def verdict(found: Sequence[Condition]) -> str:
    """Return the worst state: ``broken``, ``look`` or ``fine``."""
    states = {one.state for one in found}
    return next((state for state in (BROKEN, LOOK) if state in states), FINE)
