"""What a technique did to test scores (benchmarks/effects), as lines of its card and of the list of cards."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

from card_figures import read_record
from scipy import stats

RECORD = Path(__file__).resolve().parent.parent / "benchmarks" / "records" / "effects.json"
PLAIN = "nothing"
# figure: heading, factor, +1 where more is better, digits after the point
FIGURES = {
    "accuracy": ("accuracy, points", 100.0, 1, 1),
    "log_loss": ("log loss", 1.0, -1, 3),
    "calibration": ("calibration error, points", 100.0, -1, 1),
    "noisy": ("accuracy on noisy inputs, points", 100.0, 1, 1),
    "attacked": ("accuracy under attack, points", 100.0, 1, 1),
}
NUMBERS = {
    "rmse": ("RMSE, in standard deviations of the target", 1.0, -1, 3),
    "noisy_rmse": ("the same on noisy inputs", 1.0, -1, 3),
}
GENERATED = {
    "distance": ("energy distance to the real points", 1.0, -1, 3),
    "modes": ("of 8 modes found", 1.0, 1, 1),
}
JUDGED = ("log_loss", "rmse", "distance")  # the one figure of a set that the summary counts


class Change(NamedTuple):
    """Mean and 95 % interval of (with − without) over paired seeds, and whether more is better (+1, −1)."""

    mean: float
    low: float
    high: float
    better: int
    seeds: int

    @property
    def verdict(self) -> str:
        if not (self.low > 0 or self.high < 0):
            return "unclear"
        return "better" if (self.mean > 0) == (self.better > 0) else "worse"


def effect_lines(name: str, record: Path = RECORD) -> list[str]:
    """Return the section of a technique's card; nothing where it was not measured."""
    kept = read_record(record)
    found = changes(name, kept)
    if not found:
        return []
    counts = tally(found)
    lines = [
        "Default strengths, nothing tuned; an MLP 128 wide or a small residual net, AdamW 2e-3; "
        f"{seeds(found)} seeds, each beside the same training without it (differences with 95 % intervals; "
        "**bold**: the interval leaves out zero). "
        f"{_special(name)}Settings and all figures: `benchmarks/effects`, `benchmarks/records/effects.json`.",
        "",
    ]
    for figures in (FIGURES, NUMBERS, GENERATED):
        rows = {place: row for place, row in found.items() if set(row) & set(figures)}
        if rows:
            lines += [*_table(rows, figures, kept["problems"]), ""]
    refused = sorted(kept["problems"][place] for place in _refused(name, kept))
    if refused:
        lines += [f"It cannot act on, and says so: {'; '.join(refused)}.", ""]
    lines += [_summary(counts), ""]
    return lines


def changes(name: str, kept: dict[str, Any]) -> dict[str, dict[str, Change]]:
    """Return set → figure → change, for the sets on which the technique was trained."""
    found: dict[str, dict[str, Change]] = {}
    for place in kept.get("problems", ()):
        own, plain = kept["cells"].get(f"{place} / {name}", {}), kept["cells"].get(f"{place} / {PLAIN}", {})
        both = [seed for seed in own if seed in plain and "refused" not in own[seed]]
        if len(both) < 2:
            continue
        found[place] = {
            figure: change_of([own[s][figure] - plain[s][figure] for s in both], factor, better)
            for figure, (_, factor, better, _) in {**FIGURES, **NUMBERS, **GENERATED}.items()
            if all(figure in own[s] for s in both)
        }
    return found


def tally(found: dict[str, dict[str, Change]]) -> dict[str, int]:
    """Return on how many sets log loss (RMSE, distance) is better, worse and unclear."""
    verdicts = [row[figure].verdict for row in found.values() for figure in JUDGED if figure in row]
    return {word: verdicts.count(word) for word in ("better", "worse", "unclear")}


def seeds(found: dict[str, dict[str, Change]]) -> int:
    """Return the most seeds that a change rests on."""
    return max(change.seeds for row in found.values() for change in row.values())


def cell(name: str, record: Path = RECORD) -> str:
    """Return the counts for the list of cards, e.g. ``5 / 1 / 6``; empty where nothing was measured."""
    counts = tally(changes(name, read_record(record)))
    return f"{counts['better']} / {counts['worse']} / {counts['unclear']}" if sum(counts.values()) else ""


def _table(rows: dict[str, dict[str, Change]], figures: dict[str, Any], words: dict[str, str]) -> list[str]:
    shown = [figure for figure in figures if any(figure in row for row in rows.values())]
    lines = [f"| | {' | '.join(figures[f][0] for f in shown)} |", "|---" * (len(shown) + 1) + "|"]
    for place, row in rows.items():
        cells = [words_of(row[f], figures[f][3]) if f in row else "" for f in shown]
        lines.append(f"| {words[place]} | {' | '.join(cells)} |")
    return lines


def words_of(change: Change, digits: int) -> str:
    """Return a change with its interval, bold where that leaves out zero."""
    text = f"{change.mean:+.{digits}f} [{change.low:+.{digits}f}, {change.high:+.{digits}f}]"
    return text if change.verdict == "unclear" else f"**{text}** {change.verdict}"


def _summary(counts: dict[str, int]) -> str:
    total = sum(counts.values())
    text = (
        f"Test loss (log loss, RMSE, distance): better on {counts['better']}, worse on {counts['worse']}, "
        f"no clear difference on {counts['unclear']} of {total}."
    )
    if counts["better"]:
        return text
    return f"{text} **At its default strength we could not confirm a gain in it here.**"


def _special(name: str) -> str:
    if name in ("ScheduleFree", "SWA", "LAWA"):
        return "It stands in for a schedule, so it trains at a constant rate, beside plain training with a cosine. "
    if name in ("AdaFocal", "GreedySoup", "AdaptiveAugmentation"):
        return "It moves by held-out rows: a fifth of the training rows, which plain training learns from. "
    return ""


def _refused(name: str, kept: dict[str, Any]) -> list[str]:
    return [
        place
        for place in kept["problems"]
        if any("refused" in one for one in kept["cells"].get(f"{place} / {name}", {}).values())
    ]


def change_of(values: list[float], factor: float, better: int) -> Change:
    """Return mean and 95 % interval (Student's t) of paired differences."""
    n = len(values)
    mean = sum(values) / n
    spread = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1))
    half = float(stats.t.ppf(0.975, n - 1)) * spread / math.sqrt(n)
    return Change(factor * mean, factor * (mean - half), factor * (mean + half), better, n)
