"""Spread a strength over layers by the tail of their spectra."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from temperance.control.base import Controller, Memory, Specs, Values, adaptive, controllers, inside, nested, require
from temperance.control.schedule import scaled
from temperance.control.signal import Signals, read
from temperance.records.errors import RecipeError


@controllers.add
@dataclass(frozen=True, repr=False)
class Spectral(Controller):
    """Give layers with a light spectral tail more of the strength, and layers with a heavy tail less (AlphaDecay).

        factor_l = weak + (strong - weak) (alpha_l - min alpha) / (max alpha - min alpha),      s_l = factor_l x set_l

    One strength per layer. The tail exponent comes in as ``tail_exponent/<address>``; a layer that has none (too
    small) keeps its value and does not count. When all exponents lie within ``dead_band`` the factor is 1: the
    published rule would then give the extremes to layers that hardly differ.

    Attributes:
        weak: factor of the heaviest tail.
        strong: factor of the lightest tail.
        dead_band: smallest spread of the exponents that counts.

    Example:
        >>> Spectral(strong=2.0)
        Spectral(strong=2.0)

    Reference: AlphaDecay 2025, arXiv:2506.14562; Zhou et al. 2023 (TempBalance), arXiv:2312.00359.

    """

    weak: float = 0.667
    strong: float = 3.0
    dead_band: float = 0.1

    def __post_init__(self) -> None:
        require("Spectral", "weak", self.weak, 0.0, 1e6)
        require("Spectral", "strong", self.strong, self.weak, 1e6)
        require("Spectral", "dead_band", self.dead_band, 0.0, 1e6)

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({"tail_exponent"})

    def check(self, strengths: Values, specs: Specs, known: frozenset[str]) -> None:
        """Raise where fewer than two strengths have a tail of their own to compare.

        Raises:
            RecipeError: fewer than two ``tail_exponent/<address>`` are measured.

        """
        layers = [a for a in adaptive(strengths, specs) if f"tail_exponent/{a}" in known]
        if len(layers) < 2:
            raise RecipeError(
                f"Spectral found {len(layers)} strengths with a tail of their own",
                "it compares layers: two strengths at least, each with the signal 'tail_exponent/<address>'",
                "Give each layer a technique of its own and attach with signals=[…] that names their tails",
            )

    def begin(self, strengths: Values, specs: Specs) -> Memory:
        return nested("start", {address: strengths[address].copy() for address in adaptive(strengths, specs)})

    def move(self, strengths: Values, signals: Signals, memory: Memory, specs: Specs) -> tuple[Values, Memory]:
        starts = inside("start", memory)
        tails = {a: read(signals, f"tail_exponent/{a}", strengths[a].shape) for a in starts}
        if not tails:
            return {}, memory
        least, most = np.fmin.reduce(list(tails.values())), np.fmax.reduce(list(tails.values()))
        spread = most - least
        flat = ~(spread > self.dead_band)
        values: Values = {}
        for address, tail in tails.items():
            share = (tail - least) / np.where(flat, 1.0, spread)
            factor = np.where(flat, 1.0, self.weak + (self.strong - self.weak) * share)
            values[address] = scaled(starts[address], np.where(np.isnan(tail), np.nan, factor), specs[address])
        return values, memory

    def why(self, address: str, change: float, error: float) -> str:
        return "the tail of this layer's spectrum, beside the other layers"
