"""The grammar of the room: a policy reads a comparison of challenger and champion and gives a decision."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal

from temperance.evaluation import Comparison

Choice = Literal["promote", "keep"]


@dataclass(frozen=True)
class Decision:
    """Which of the two models to serve.

    Attributes:
        choice: ``promote`` the challenger or ``keep`` the champion.
        sentence: the decision in plain words.
        why: the evidence for it in plain words.

    """

    choice: Choice
    sentence: str
    why: str

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {"decision": self.choice, "sentence": self.sentence, "why": self.why}


@dataclass(frozen=True)
class Policy(ABC):
    """When a challenger takes the champion's place; the verb is ``decide``."""

    @abstractmethod
    def decide(self, comparison: Comparison, *, metric: str) -> Decision:
        """Decide.

        Args:
            comparison: the challenger (first) against the champion (second) on the same test rows.
            metric: name of the metric that was compared.

        """


PROMOTE = "Serve the new model."
KEEP = "Keep the model that is in use."


def evidence(comparison: Comparison, metric: str) -> str:
    """Return the difference with its interval and p value as a sentence."""
    found = comparison.difference
    name = metric.replace("_", " ")
    ends = "" if found.low is None or found.high is None else f" (from {found.low:+.4g} to {found.high:+.4g})"
    return f"On {found.n:,} test rows the new model changes {name} by {found.value:+.4g}{ends}, p = {comparison.p:.3g}"
