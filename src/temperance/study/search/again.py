"""The last seconds of a search: the best net once more with another seed, as long as the time that is left."""

from __future__ import annotations

from typing import ClassVar

from temperance.study.search.base import Proposer
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
