"""The careful policy: only a challenger that is clearly better is promoted."""

from __future__ import annotations

from dataclasses import dataclass

from temperance.evaluation import Comparison
from temperance.lifecycle.base import KEEP, PROMOTE, Decision, Policy, evidence


@dataclass(frozen=True)
class BetterOnly(Policy):
    """Promote on evidence of a gain; with no significant difference the champion stays.

    Use when: a change of model has a price of its own (tests, sign-off, users who know the old one).
    """

    def decide(self, comparison: Comparison, *, metric: str) -> Decision:
        said = evidence(comparison, metric)
        if comparison.verdict == "better":
            return Decision("promote", PROMOTE, f"{said}: better.")
        if comparison.verdict == "worse":
            return Decision("keep", KEEP, f"{said}: worse.")
        return Decision("keep", KEEP, f"{said}: no significant difference.")
