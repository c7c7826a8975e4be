"""The policy of the fresh model: a challenger that is as good is promoted too."""

from __future__ import annotations

from dataclasses import dataclass

from temperance.evaluation import Comparison
from temperance.lifecycle.base import KEEP, PROMOTE, Decision, Policy, evidence
from temperance.records.errors import SettingError


@dataclass(frozen=True)
class NotWorse(Policy):
    """Promote unless the challenger may be worse by more than ``margin``, in units of the metric.

    Use when: fresh data are worth something by themselves and a change of model costs little.
    """

    margin: float = 0.005

    def __post_init__(self) -> None:
        if not self.margin >= 0:
            raise SettingError(f"NotWorse got margin={self.margin!r}", "a number from 0 up", "Leave it at 0.005")

    def decide(self, comparison: Comparison, *, metric: str) -> Decision:
        found, said = comparison.difference, evidence(comparison, metric)
        worst = found.high if found.better == "lower" else found.low
        loss = float("inf") if worst is None else worst if found.better == "lower" else -worst
        if comparison.verdict == "better":
            return Decision("promote", PROMOTE, f"{said}: better.")
        if loss <= self.margin:
            return Decision("promote", PROMOTE, f"{said}: at worst {self.margin:g} worse, which is accepted.")
        return Decision("keep", KEEP, f"{said}: it may be worse by more than {self.margin:g}.")
