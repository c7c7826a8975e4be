"""A controller: a pure rule that moves strengths from signals, on plain NumPy arrays of shape () or (k,)."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, ClassVar, TypeVar, final

import numpy as np
from numpy.typing import NDArray

from temperance.control.signal import Signals
from temperance.control.strength import Strength
from temperance.records.errors import RecipeError, SettingError, listed, nearest
from temperance.records.registry import Registry
from temperance.records.restore import known, settings

Array = NDArray[np.float64]
Values = dict[str, Array]
"""Strengths by address, e.g. ``dropout.p``; float64, shape () or (k,)."""
Memory = dict[str, NDArray[Any]]
"""A controller's own state: plain arrays only. Two names are read by the session: ``stop`` (bool: end the training of
this member) and ``keep`` (bool: the state now is the best so far, keep a copy; restore it when stopped)."""
Specs = Mapping[str, Strength]
"""Declared strengths by address."""

C = TypeVar("C", bound="Controller")


@dataclass(frozen=True)
class Move:
    """One line of the controller's log: a strength was moved, or held, and why.

    Attributes:
        step: optimizer steps done.
        fraction: share of the training done, 0 to 1; NaN where unknown.
        strength: address, e.g. ``dropout.p``.
        signal: name of the signal that was read.
        error: signal minus target (NaN where the rule has no target).
        value: strength after the move.
        saturated: whether a bound stopped the move.
        reason: plain words.
        member: position in the population, 0 for a single run.
        old: strength before the move.
        epoch: epochs done; NaN where unknown.
        spread: standard error of the signal; NaN where it has none.

    """

    step: int
    fraction: float
    strength: str
    signal: str
    error: float
    value: float
    saturated: bool
    reason: str
    member: int = 0
    old: float = math.nan
    epoch: float = math.nan
    spread: float = math.nan

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields; NaN becomes None."""
        return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Move:
        """Rebuild from ``to_dict``; unknown keys are ignored."""
        kept = known(cls, row)
        for key in ("fraction", "error", "value", "old", "epoch", "spread"):
            kept[key] = math.nan if kept.get(key) is None else float(kept[key])
        return cls(**kept)


@dataclass(frozen=True, repr=False)
class Controller(ABC):
    """A frozen rule. Subclasses write ``move``; callers use ``begin``, ``steer`` and ``explain``.

    ``steer`` is final and guards every rule: arguments stay untouched, a NaN proposal holds the last value, every
    value ends inside the bounds that its ``Strength`` declares, and shapes never change.

    Class attribute ``moves_adaptive``: the rule moves the strengths declared adaptive; without one it is idle.
    """

    moves_adaptive: ClassVar[bool] = False

    @property
    @abstractmethod
    def reads(self) -> frozenset[str]:
        """Names of the signals that the rule reads."""

    @abstractmethod
    def move(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        """Return proposed strengths (only those that move) and the new memory.

        Args:
            strengths: current values; copies, shape () or (k,).
            signals: numbers by name; NaN or absent means not measured at this call.
            memory: what the last call returned; a copy of the dict, arrays must not be written to.
            specs: the declared strengths.

        """

    @property
    def awaits(self) -> frozenset[str]:
        """Names of which one must have a number before the rule can act: its ``signal``, or else all it reads."""
        name = str(getattr(self, "signal", ""))
        return frozenset({name}) if name else self.reads

    def rules(self) -> tuple[Controller, ...]:
        """Return the rules that this one is made of; itself, unless it wraps or chains others."""
        return (self,)

    def check(self, strengths: Values, specs: Specs, known: frozenset[str]) -> None:
        """Raise ``RecipeError`` where the rule can never act, because nobody gives its signal.

        Args:
            strengths: the values at the start.
            specs: declared strengths.
            known: names of all numbers that will be measured; ``name/address`` counts for ``name``.

        Raises:
            RecipeError: nothing measures any signal that the rule awaits.

        """
        if self.awaits and not self.awaits & (known | {one.split("/")[0] for one in known}):
            name = min(self.awaits)
            raise RecipeError(
                f"{type(self).__name__} reads {' or '.join(map(repr, sorted(self.awaits)))}, which nothing measures",
                f"signals are {listed(known)}",
                nearest(name, known) or "Name one of these, or attach with signals=[…] of your own",
            )

    def begin(self, strengths: Values, specs: Specs) -> Memory:
        """Return the memory before the first call. ``strengths`` are the values the user set."""
        return {}

    @final
    def steer(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        """Move the strengths: the public verb, pure and deterministic.

        Args:
            strengths: current values by address, shape () or (k,).
            signals: numbers by name; pass NaN (or nothing) for what was not measured anew at this call.
            memory: from ``begin`` or the last ``steer``.
            specs: declared strengths by address.

        Returns:
            New values for every address, and the new memory.

        """
        before = {address: np.array(value, dtype=np.float64) for address, value in strengths.items()}
        proposed, kept = self.move({a: v.copy() for a, v in before.items()}, signals, dict(memory), specs)
        after = {a: _guarded(a, before[a], proposed.get(a), specs) for a in before}
        return after, {name: np.array(value) for name, value in kept.items()}

    def explain(self, before: Values, after: Values, signals: Signals, memory: Memory, specs: Specs) -> list[Move]:
        """Return a log line for each strength that moved between ``before`` and ``after``.

        Args:
            before: values given to ``steer``.
            after: values it returned.
            signals: signals given to ``steer``.
            memory: memory that ``steer`` returned; a rule may leave ``error``, ``saturated`` and ``limit_now`` there.
            specs: declared strengths.

        """
        signal = getattr(self, "signal", "") or ",".join(sorted(self.reads))
        moves: list[Move] = []
        for address, value in after.items():
            old = np.broadcast_to(before[address], value.shape)
            for member in range(value.size):
                stuck = specs[address].adaptive and pick(memory.get("limit_now"), member) == 1.0
                if stuck or value.reshape(-1)[member] != old.reshape(-1)[member]:
                    moves.append(self._line(address, value, member, signal, signals, memory, old))
        return moves

    def why(self, address: str, change: float, error: float) -> str:
        """Return the reason of one move in plain words."""
        return "moved by its rule"

    def _line(
        self, address: str, value: Array, member: int, signal: str, signals: Signals, memory: Memory, old: Array
    ) -> Move:
        error = pick(memory.get("error"), member)
        now, was = pick(value, member), pick(old, member)
        step = pick(signals.get("step"), member)
        reasons = [self.why(address, now - was, error)] if now != was or address == "training" else []
        if pick(memory.get("limit_now"), member) == 1.0:
            reasons.append(f"at its limit, the {signal} is still {pick(signals.get(signal), member):.3g}")
        return Move(
            step=-1 if math.isnan(step) else int(step),
            fraction=pick(signals.get("progress"), member),
            strength=address,
            signal=signal,
            error=error,
            value=now,
            saturated=bool(pick(memory.get("saturated", False), member)),
            reason="; ".join(reasons),
            member=member,
            old=was,
            epoch=pick(signals.get("epoch"), member),
            spread=pick(signals.get(f"{signal}_error"), member),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"name": class, settings…}``, JSON- and TOML-safe; None settings are left out."""
        rows = {f.name: _plain(getattr(self, f.name)) for f in fields(self)}
        return {"name": type(self).__name__, **{key: value for key, value in rows.items() if value is not None}}

    @staticmethod
    def from_dict(row: Mapping[str, Any]) -> Controller:
        """Rebuild any registered controller from ``to_dict``.

        Raises:
            SettingError: unknown controller or setting.

        """
        cls = controllers[str(row["name"])]
        return cls(**{key: _rebuilt(value) for key, value in settings(cls, row).items()})

    def __repr__(self) -> str:
        shown = [
            f"{f.name}={_shown(getattr(self, f.name))}"
            for f in fields(self)
            if f.default is MISSING or getattr(self, f.name) != f.default
        ]
        return f"{type(self).__name__}({', '.join(shown)})"


controllers: Registry[Controller] = Registry("controller", "temperance.controllers")


def pick(value: Any, member: int) -> float:
    """Return one member's number from a value of shape () or (k,); NaN for None."""
    if value is None:
        return math.nan
    flat = np.asarray(value, dtype=np.float64).reshape(-1)
    return float(flat[member if flat.size > 1 else 0])


def adaptive(strengths: Values, specs: Specs) -> list[str]:
    """Return the addresses that a controller may move: declared adaptive, in the given order."""
    return [address for address in strengths if specs[address].adaptive]


def shape_of(strengths: Values) -> tuple[int, ...]:
    """Return () or (k,), the common shape of the strengths.

    Raises:
        SettingError: shapes do not fit each other.

    """
    try:
        shape = np.broadcast_shapes(*(np.shape(value) for value in strengths.values()))
    except ValueError as fault:
        shapes = {address: np.shape(value) for address, value in strengths.items()}
        raise SettingError(
            f"strengths have the shapes {shapes}", "all () or all (k,)", "Use one member axis"
        ) from fault
    return tuple(shape)


def nested(prefix: str, memory: Memory) -> Memory:
    """Return ``memory`` with every name under ``prefix/``."""
    return {f"{prefix}/{name}": value for name, value in memory.items()}


def inside(prefix: str, memory: Memory) -> Memory:
    """Return the part of ``memory`` that lies under ``prefix/``, without the prefix."""
    start = f"{prefix}/"
    return {name[len(start) :]: value for name, value in memory.items() if name.startswith(start)}


def require(owner: str, name: str, value: float, low: float, high: float, *, whole: bool = False) -> None:
    """Raise ``SettingError`` unless ``low <= value <= high`` (and is a whole number); NaN is refused.

    Raises:
        SettingError: the value is outside, no number, or not whole where it must be.

    """
    try:
        fits = low <= float(value) <= high and (not whole or float(value).is_integer())
    except (TypeError, ValueError):
        fits = False
    if not fits:
        kind = "a whole number" if whole else "a number"
        raise SettingError(
            f"{owner} got {name}={value!r}",
            f"{name} must be {kind} between {low:g} and {high:g}",
            "Choose a value in this range",
        )


def _guarded(address: str, before: Array, proposed: Array | None, specs: Specs) -> Array:
    if proposed is None:
        return before
    if np.shape(proposed) not in ((), before.shape):
        raise SettingError(
            f"a controller proposed shape {np.shape(proposed)} for {address!r}",
            f"the strength has shape {before.shape}",
            "Give signals of shape () or of the strengths' shape",
        )
    spec, wanted = specs[address], np.asarray(proposed, dtype=np.float64)
    usable = np.isfinite(wanted) | (wanted == spec.neutral)
    return np.array(np.where(usable & (wanted != before), spec.clip(wanted), before))


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(_shown(item) for item in value)}{',' if len(value) == 1 else ''})"
    return repr(value.item() if isinstance(value, np.generic) else value)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Controller):
        return value.to_dict()
    return [_plain(item) for item in value] if isinstance(value, (tuple, list)) else value


def _rebuilt(value: Any) -> Any:
    if isinstance(value, Mapping) and "name" in value:
        return Controller.from_dict(value)
    return tuple(_rebuilt(item) for item in value) if isinstance(value, (tuple, list)) else value
