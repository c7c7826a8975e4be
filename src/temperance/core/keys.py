"""Keys of noise: integers folded on the host, and the few numbers that are cheaper to draw there than as tensors."""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache
from typing import Any, NamedTuple

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15  # SplitMix64's increment
_SPREAD = 0xD1342543DE82EF95  # an odd multiplier with a good spectrum (Steele and Vigna 2021)


class KeyPath(NamedTuple):
    """The folds of a key whose seed and step are not known yet (inside ``vmap``)."""

    parts: tuple[str | int, ...] = ()


Key = int | KeyPath


def fold(key: Key, *parts: str | int) -> Any:
    """Return the key of a part: SplitMix64 over host integers; a string counts as its 64-bit BLAKE2b digest.

    The key is multiplied before a part is added, so (seed 0, step 1) and (seed 1, step 0) are different keys.
    """
    if isinstance(key, KeyPath):
        return KeyPath((*key.parts, *parts))
    for part in parts:
        key = _mix(key * _SPREAD + (_digest(part) if isinstance(part, str) else part) + _STEP)
    return key


def _mix(z: int) -> int:
    z &= _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


@lru_cache(maxsize=4096)
def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def beta_number(key: int, alpha: float) -> float:
    """Return λ ~ Beta(α, α), drawn on the host: a handful of tensor operations would cost more than the whole mixing.

    λ = σ(log G₁ − log G₂) with Gᵢ ~ Gamma(α) in logarithms, because for small α a plain ratio of Gamma draws is 0/0.
    """
    if alpha == 0:
        return 1.0
    stream = _Stream(key)
    difference = _log_gamma(stream, alpha) - _log_gamma(stream, alpha)
    return 1 / (1 + math.exp(-difference)) if difference > -700 else 0.0


class _Stream:
    """Uniform and normal numbers on the host: SplitMix64 in counter mode."""

    def __init__(self, key: int) -> None:
        self.state = key

    def uniform(self) -> float:
        self.state = (self.state + _STEP) & _MASK
        return ((_mix(self.state) >> 11) + 0.5) * 2.0**-53  # never 0 or 1

    def normal(self) -> float:
        return math.sqrt(-2 * math.log(self.uniform())) * math.cos(2 * math.pi * self.uniform())


def _log_gamma(stream: _Stream, alpha: float) -> float:
    """Return log G, G ~ Gamma(α): Marsaglia and Tsang (2000) for α + 1, then G(α) = G(α + 1)·U^{1/α}."""
    d = alpha + 1 - 1 / 3
    c = 1 / math.sqrt(9 * d)
    while True:
        x = stream.normal()
        v = (1 + c * x) ** 3
        if v > 0 and math.log(stream.uniform()) < 0.5 * x * x + d - d * v + d * math.log(v):
            return math.log(d * v) + math.log(stream.uniform()) / alpha
