"""The best net once more with another seed: in the last seconds of a search, and for images beside the weaker ideas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from temperance.study.search.base import Proposer
from temperance.study.search.portfolio import Portfolio
from temperance.study.spec import TrialSpec
from temperance.study.state import State, ranked


class Again(Proposer):
    """Proposes the best net so far with a new seed each time, where no new idea fits the time any more.

    Nets of one recipe that differ in their seed still gain when they are averaged, and the mixture is weighed on rows
    that they did not learn: one that was trained too briefly gets no share.

    Args:
        state: of the study.

    """

    least_share: ClassVar[float] = 0.1

    def __init__(self, state: State) -> None:
        self.state = state

    def propose(self) -> TrialSpec | None:
        """Return the best net with the next seed, or None where no net has finished."""
        best = [r.spec for r in ranked(self.state.trials) if r.spec.is_net and r.spec.teacher is None]
        if not best:
            return None
        number = 1 + sum(spec.name.startswith(PREFIX) for spec in self.state.proposed.values())
        name = best[0].name.removeprefix(PREFIX).split(", ", 1)[-1] if best[0].name.startswith(PREFIX) else best[0].name
        return best[0].changed(id="", name=f"{PREFIX}{number}, {name}", seed=best[0].seed + 1000 * number, until=1.0)

    def observe(self, spec: TrialSpec, quality: float | None) -> None:
        """Hear nothing: it looks at the state."""


PREFIX = "another seed "


class Seeded(Portfolio):
    """Proposes a list in its order; from a place on, the best net so far with another seed before each of the rest.

    Where one recipe is far ahead of the others, as on images, the mean of four of its nets is worth more than what the
    later ideas of the list can add.

    Args:
        specs: the list, the most promising first.
        again: who proposes the best net.
        after: nets of the list that come before the first repeated one.

    """

    def __init__(self, specs: Iterable[TrialSpec], again: Again, *, after: int) -> None:
        super().__init__(specs)
        self._again, self._before, self._turn = again, max(0, after), False

    def propose(self) -> TrialSpec | None:
        """Return the next of both, or None when the list is at its end."""
        if not self._left:
            return None
        if self._before:
            self._before -= 1
            return super().propose()
        self._turn = not self._turn
        found = self._again.propose() if self._turn else None
        return super().propose() if found is None else found


def untried(nets: list[TrialSpec], state: State, *, seeds_after: int | None = None) -> Portfolio:
    """Return the nets that were not tried yet as a portfolio.

    Args:
        nets: in their order.
        state: of the study.
        seeds_after: from this place of ``nets`` on the best net comes again between them; None: it does not.

    """
    left = [spec for spec in nets if spec.name not in state.names]
    if seeds_after is None:
        return Portfolio(left)
    return Seeded(left, Again(state), after=seeds_after - (len(nets) - len(left)))
