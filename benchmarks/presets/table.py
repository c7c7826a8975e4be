"""The record as lines: each recipe beside plain training, over sets."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

FIGURES = ("loss", "accuracy", "distance", "modes")
PLAIN = "plain"


def pairs(kept: dict[str, Any]) -> dict[tuple[str, str], dict[str, list[tuple[dict, dict]]]]:
    """Return (kind, recipe) → set → (with it, plain) by seed."""
    found: dict[tuple[str, str], dict[str, list[tuple[dict, dict]]]] = {}
    for name, row in kept["cells"].items():
        kind, place, recipe = name.split(" / ")
        plain = kept["cells"].get(f"{kind} / {place} / {PLAIN}", {"seeds": {}})["seeds"]
        both = [(one, plain[seed]) for seed, one in row["seeds"].items() if seed in plain]
        if recipe != PLAIN and both:
            found.setdefault((kind, recipe), {})[place] = both
    return found


def shown(kept: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each recipe: ratio of losses (geometric mean over sets), points of accuracy, seconds."""
    rows = []
    for (kind, recipe), places in pairs(kept).items():
        main = "distance" if kind == "gan" else "loss"
        logs = [
            sum(math.log(max(a[main], 1e-9) / max(b[main], 1e-9)) for a, b in both) / len(both)
            for both in places.values()
        ]
        gains = [a["accuracy"] - b["accuracy"] for both in places.values() for a, b in both if "accuracy" in a]
        times = [a["seconds"] / b["seconds"] for both in places.values() for a, b in both if "seconds" in a]
        won = sum(one < 0 for one in logs)
        ratio = math.exp(sum(logs) / len(logs))
        points = 100 * sum(gains) / len(gains) if gains else math.nan
        slow = sum(times) / len(times) if times else math.nan
        rows.append(
            (
                kind,
                ratio,
                f"{kind:13s} {recipe:36s} {ratio:.3f} {won}:{len(logs) - won} {points:+.1f} pt · {slow:.2f} ×",
            )
        )
    yield from (line for *_, line in sorted(rows))
