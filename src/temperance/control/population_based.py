"""Let a population share what works."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

import numpy as np
from numpy.typing import NDArray

from temperance.control.base import Controller, Memory, Specs, Values, adaptive, controllers, require, shape_of
from temperance.control.signal import Signals, read
from temperance.control.strength import Strength
from temperance.records.errors import RecipeError, SettingError

Array = NDArray[np.float64]


@controllers.add
@dataclass(frozen=True, repr=False)
class PopulationBased(Controller):
    """Replace the worst members by copies of the best with changed strengths (truncation selection).

    At every ``interval`` epochs the worst ``share`` of the members take a random member of the best ``share`` as
    source. ``memory["source"]`` (k,) tells the session from whom each member copies its whole state, itself where
    nothing is copied. A copied strength is multiplied by one of ``factors``, or drawn anew with chance ``resample``.
    Random numbers depend on ``seed`` and the round only.

    Attributes:
        interval: epochs between rounds.
        share: share of the members replaced.
        factors: changes of a copied strength.
        resample: chance to draw the strength anew, evenly over its scale.
        seed: seed of the random numbers.
        signal: name of the signal, lower is better.

    Use when: several members train at once. A session, which has one net, refuses it.

    Example:
        >>> PopulationBased(interval=2)
        PopulationBased(interval=2)

    Reference: Jaderberg et al. 2017, arXiv:1711.09846.

    """

    interval: float = 1.0
    _: KW_ONLY
    share: float = 0.25
    factors: tuple[float, ...] = (0.8, 1.2)
    resample: float = 0.25
    seed: int = 0
    signal: str = "valid_loss"

    def __post_init__(self) -> None:
        object.__setattr__(self, "factors", tuple(self.factors))
        require("PopulationBased", "interval", self.interval, 0.0, 1e12)
        require("PopulationBased", "share", self.share, 0.0, 0.5)
        require("PopulationBased", "resample", self.resample, 0.0, 1.0)
        require("PopulationBased", "seed", self.seed, 0, 2**63 - 1, whole=True)
        if not self.factors or min(self.factors) <= 0:
            raise SettingError(f"PopulationBased got factors={self.factors}", "one or more above 0", "Try (0.8, 1.2)")

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({self.signal, "epoch"})

    def check(self, strengths: Values, specs: Specs, known: frozenset[str]) -> None:
        """Raise where there is one net only, or nobody gives the signal.

        Raises:
            RecipeError: one of these.

        """
        super().check(strengths, specs, known)
        if max((value.size for value in strengths.values()), default=1) < 2:
            raise RecipeError(
                "PopulationBased was attached to one net",
                "it copies better members over worse ones, so it needs two at least",
                "Train with temperance.Population(recipe, …, members=4), or use another controller",
            )

    def begin(self, strengths: Values, specs: Specs) -> Memory:
        shape = shape_of(strengths)
        count = shape[0] if shape else 1
        identity = np.arange(count).reshape(shape)
        return {"source": identity, "round": np.array(0, dtype=np.int64), "last_epoch": np.array(0.0)}

    def move(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        identity = np.arange(memory["source"].size).reshape(memory["source"].shape)
        score = read(signals, self.signal, identity.shape).reshape(-1)
        epoch = float(np.max(read(signals, "epoch")))
        ready = np.isnan(epoch) or epoch - float(memory["last_epoch"]) >= self.interval
        ranked = [int(i) for i in np.argsort(score, kind="stable") if np.isfinite(score[i])]
        count = int(self.share * len(ranked))
        if not ready or count == 0:
            return {}, {**memory, "source": identity}
        chance = np.random.default_rng([self.seed, int(memory["round"])])
        source = identity.copy()
        for loser in ranked[-count:]:
            source[loser] = ranked[int(chance.integers(count))]
        values = {}
        for address in adaptive(strengths, specs):
            values[address] = self._explored(strengths[address], source, specs[address], chance)
        last = memory["last_epoch"] if np.isnan(epoch) else np.array(epoch)
        return values, {"source": source, "round": memory["round"] + 1, "last_epoch": last}

    def why(self, address: str, change: float, error: float) -> str:
        return "copied from a better member and changed"

    def _explored(self, value: Array, source: NDArray[np.int64], spec: Strength, chance: np.random.Generator) -> Array:
        """Return each member's value, or where it copies another's: that one changed or drawn anew."""
        if value.shape != source.shape:
            return value
        factor = chance.choice(np.asarray(self.factors), size=value.shape)
        fresh = spec.from_pressure(chance.uniform(size=value.shape))
        anew = chance.uniform(size=value.shape) < self.resample
        copied = value[source]
        changed = np.where(np.isfinite(copied), copied * factor, copied)
        return np.where(source == np.arange(value.size), value, np.where(anew, fresh, changed))
