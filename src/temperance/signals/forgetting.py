"""What the net has lost of what it knew, on rows of the user's choice."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from temperance.core.heldout import Tally
from temperance.core.signal import Probe, Signal, signals
from temperance.records.errors import RecipeError


@signals.add
@dataclass(frozen=True)
class Forgetting(Signal):
    """Measure how much higher the loss has become on what must not be lost, at the weights that would ship.

        forgetting/name = loss now − loss at attach, on the batches of that name;  forgetting = the largest of them
        with ``share``:   (loss now − loss at attach) / loss at attach

    The loss at attach is measured at attach, so load the pretrained weights before. It is a part of the checkpoint.
    Each ``validate`` passes over all of these batches, in evaluation mode.

    Args:
        keep: batches (a list or a loader that can be gone through again) by name, of the kind that ``step`` takes.
        every: measured at every so-manieth ``validate`` only.
        share: tell the rise as a share of the loss at attach: 0.05 is "5 % worse on these rows".

    Raises:
        RecipeError: no batches were given, a loader is empty or used up, or a share is asked of a loss that is not
            above 0.

    Example:
        >>> Forgetting({"old": []}).keep
        {'old': []}

    Source: Lopez-Paz and Ranzato (2017), arXiv:1706.08840, backward transfer with its sign turned, of the loss.

    """

    keep: Mapping[str, Iterable[Any]] = field(default_factory=dict)
    every: int = 1
    share: bool = False

    gives: ClassVar[tuple[str, ...]] = ("forgetting",)
    price: ClassVar[str] = "one forward pass over the kept batches"
    needs_valid: ClassVar[bool] = False

    def begin(self, probe: Probe) -> None:
        """Measure the loss before the training; ``RecipeError`` where there are no batches."""
        if not self.keep:
            raise RecipeError(
                "Forgetting has no batches",
                "it measures the loss on what must not be lost",
                'Give attach(..., signals=[Forgetting({"old": loader})])',
            )
        if not isinstance(self.keep, Mapping):
            raise RecipeError(
                f"Forgetting got a {type(self.keep).__name__}",
                "batches by name",
                'Give them one: Forgetting({"old": batches})',
            )
        probe.memory["start"] = begun = {name: self._loss(name, probe) for name in self.keep}
        if self.share and not all(loss > 0 for loss in begun.values()):
            raise RecipeError(
                f"Forgetting(share=True) found losses {begun} at attach",
                "a share is that of a loss above 0",
                "Leave share out: the rise is then told in units of the loss",
            )

    def measure(self, probe: Probe) -> dict[str, float]:
        """Return the rise of each loss, and the largest."""
        start = probe.memory.get("start", {})
        begun = {name: start.get(name, math.nan) for name in self.keep}
        risen = {f"forgetting/{name}": self._loss(name, probe) - begun[name] for name in self.keep}
        if self.share:
            risen = {f"forgetting/{name}": risen[f"forgetting/{name}"] / begun[name] for name in self.keep}
        known = not any(map(math.isnan, risen.values()))  # ``max`` would pass over a loss that is no number
        return {**risen, "forgetting": max(risen.values()) if known else math.nan}

    def _loss(self, name: str, probe: Probe) -> float:
        tally = Tally()
        for raw in self.keep[name]:
            for batch in probe.read(raw):
                tally.add(
                    probe.losses(batch, probe.served), batch, None if probe.counts is None else probe.counts(batch)
                )
        if not tally.count:
            raise RecipeError(
                f"Forgetting got no rows for {name!r}",
                "batches that can be gone through at every validate",
                "Give a list or a DataLoader, not an iterator that is used up",
            )
        return tally.mean
