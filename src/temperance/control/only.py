"""Limit a controller to some strengths."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from temperance.control.base import Memory, Move, Specs, Values, controllers
from temperance.control.signal import Signals
from temperance.control.wrapper import Wrapper, only
from temperance.records.errors import SettingError, nearest


@controllers.add
@dataclass(frozen=True, repr=False)
class Only(Wrapper):
    """Let ``inner`` move only the strengths named here, also those that are not declared adaptive.

    Attributes:
        inner: the rule.
        at: addresses or patterns, e.g. ``"dropout.p"``, ``"dropout*"``, ``"*.p"``; one or several.

    Example:
        >>> from temperance.control.gap_feedback import GapFeedback
        >>> Only(GapFeedback(), "dropout.p")
        Only(inner=GapFeedback(), at=('dropout.p',))

    """

    at: tuple[str, ...] = ("*",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", (self.at,) if isinstance(self.at, str) else tuple(self.at))
        if not self.at:
            raise SettingError("Only got no address", "at least one address or pattern", "Name a strength")

    def check(self, strengths: Values, specs: Specs, known: frozenset[str]) -> None:
        chosen = self._chosen(strengths)
        super().check(chosen, self._opened(specs, chosen), known)

    def begin(self, strengths: Values, specs: Specs) -> Memory:
        """Return the inner controller's memory for the chosen strengths.

        Raises:
            SettingError: a pattern that names no strength of the recipe.

        """
        for pattern in self.at:
            if not any(fnmatchcase(address, pattern) for address in strengths):
                raise SettingError(
                    f"Only got {pattern!r}, which names no strength of this recipe",
                    f"strengths are {', '.join(strengths) or 'none'}",
                    nearest(pattern, strengths) or "Use one of these addresses, or a pattern like 'dropout*'",
                )
        chosen = self._chosen(strengths)
        return super().begin(chosen, self._opened(specs, chosen))

    def move(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        chosen = self._chosen(strengths)
        return self.run(chosen, signals, memory, self._opened(specs, chosen))

    def explain(self, before: Values, after: Values, signals: Signals, memory: Memory, specs: Specs) -> list[Move]:
        chosen = self._chosen(after)
        return super().explain(only(before, chosen), chosen, signals, memory, self._opened(specs, chosen))

    def _chosen(self, strengths: Values) -> Values:
        return {a: value for a, value in strengths.items() if any(fnmatchcase(a, pattern) for pattern in self.at)}

    def _opened(self, specs: Specs, chosen: Values) -> Specs:
        return {address: replace(specs[address], adaptive=True) for address in chosen}
