"""What a session tells of itself, without changing: strengths, signals, warnings, the weights that it would ship."""

from __future__ import annotations

import math
from typing import Any

from temperance.core import circumstances, readings, stages
from temperance.core.attached import Attached
from temperance.core.leaves import Leaves
from temperance.core.selection import Chosen


class Telling:
    """The part of ``Session`` that is read and never changes anything."""

    @property
    def signal_seconds(self: Attached) -> dict[str, float]:
        """Seconds spent on each signal so far, by its name; they are part of the training's time."""
        return dict(self._meter.seconds)

    def signal_memory(self: Attached, name: str) -> dict[str, Any]:
        """Return what the signal of this name (``difficulty``, say) remembers; KeyError where it is not measured."""
        return self._meter.memory[name]

    @property
    def strengths(self: Attached) -> dict[str, float]:
        """Current strengths by address, e.g. ``{"dropout.p": 0.1}``."""
        return {address: float(value) for address, value in self._values().items()}

    def log(self: Attached) -> dict[str, float]:
        """Return where the training stands as one flat dict of finite numbers, for any logger.

        ``loss`` of the last step (regularized), ``step``, ``strength/dropout.p`` …, ``signal/gap`` … as last measured,
        ``seconds/gap`` … spent on each signal. Reads the loss from its device, so call it when you log, not each step.
        """
        found = {"step": float(self.steps)}
        if self._last_loss is not None:
            found["loss"] = self._last_loss.item()
        for address, value in self._values().items():
            found |= {
                f"strength/{address}" + (f"/{i}" if value.ndim else ""): float(v) for i, v in enumerate(value.flat)
            }
        found |= {f"signal/{name}": float(v) for name, v in self.signals.items() if name != "step"}
        found |= {f"seconds/{name}": v for name, v in self._meter.seconds.items()}
        return {name: v for name, v in found.items() if math.isfinite(v)}

    @property
    def is_open(self: Attached) -> bool:
        """Whether the model is attached still: neither finished nor closed."""
        return not self._closed or self._own is not None

    @property
    def is_serving(self: Attached) -> bool:
        """Whether served weights stand in the model just now, see ``served_weights``."""
        return self._own is not None

    @property
    def wants_rows(self: Attached) -> bool:
        """Whether ``validate`` needs held-out batches: a signal or a technique looks at the rows themselves."""
        return readings.wants_rows(self)

    @property
    def best(self: Attached) -> Leaves | None:
        """The weights that ``finish`` will put in; None where nothing was kept."""
        return self.readings.weights

    @property
    def chosen(self: Attached) -> Chosen | None:
        """Which readings are in ``best`` and what they scored; None before the first."""
        return self.readings.chosen

    @property
    def served(self: Attached) -> Leaves:
        """The weights that would be shipped now."""
        return stages.served(self.recipe.by_address, self.solo.home, self._memory)

    @property
    def warnings(self: Attached) -> tuple[str, ...]:
        """Sentences about ingredients that get on badly with each other, or with this model, and alarms so far."""
        told = circumstances.told(self.solo)
        return (*self.recipe.warnings, *told, *readings.deaf(self), *readings.idle(self), *self._told)

    def explain(self: Attached) -> str:
        """Return what the recipe does (``Recipe.explain``) and what is special about it here."""
        return "\n".join([self.recipe.explain(), *(f"Here: {note}" for note in circumstances.told(self.solo))])
