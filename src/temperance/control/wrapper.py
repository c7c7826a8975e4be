"""What wrappers share: an inner controller whose memory is kept under ``inner/``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from temperance.control.base import Controller, Memory, Move, Specs, Values, inside, nested
from temperance.control.signal import Signals, read

LIFTED = ("stop", "keep", "error", "saturated", "source")


@dataclass(frozen=True, repr=False)
class Wrapper(Controller):
    """Add a behaviour around ``inner``. By default it changes nothing; subclasses change what they must."""

    inner: Controller

    @property
    def reads(self) -> frozenset[str]:
        return self.inner.reads

    @property
    def signal(self) -> str:
        """Return the name of the signal that the inner rule is about; empty where it is about none."""
        return str(getattr(self.inner, "signal", ""))

    def rules(self) -> tuple[Controller, ...]:
        return self.inner.rules()

    def check(self, strengths: Values, specs: Specs, known: frozenset[str]) -> None:
        self.inner.check(strengths, specs, known)

    def begin(self, strengths: Values, specs: Specs) -> Memory:
        return wrapped(self.inner.begin(strengths, specs))

    def explain(self, before: Values, after: Values, signals: Signals, memory: Memory, specs: Specs) -> list[Move]:
        return self.inner.explain(before, after, signals, inside("inner", memory), specs)

    def run(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        """Return what the inner rule does, its memory wrapped."""
        values, kept = self.inner.steer(strengths, signals, inside("inner", memory), specs)
        return values, wrapped(kept)


def wrapped(memory: Memory) -> Memory:
    """Return an inner memory under ``inner/`` with the names that the session reads lifted to the top."""
    return {**nested("inner", memory), **{name: memory[name] for name in LIFTED if name in memory}}


def held(memory: Memory) -> Memory:
    """Return the memory of a call at which the inner rule was not run: there is nothing new to keep or copy."""
    quiet = dict(memory)
    if "keep" in quiet:
        quiet["keep"] = np.zeros_like(quiet["keep"])
    if "source" in quiet:
        quiet["source"] = np.arange(quiet["source"].size).reshape(quiet["source"].shape)
    return quiet


def measured(controller: Controller, signals: Signals) -> bool:
    """Return whether the signal that the rule is about has a number at this call; ``name/...`` counts for ``name``."""
    name = str(getattr(controller, "signal", ""))
    names = {name} if name else controller.reads
    given = [each for each in signals if each.split("/")[0] in names or each in names]
    return not names or any(bool(np.isfinite(read(signals, each)).any()) for each in given)


def only(values: Values, addresses: Mapping[str, object]) -> Values:
    """Return the values whose address is among ``addresses``."""
    return {address: value for address, value in values.items() if address in addresses}
