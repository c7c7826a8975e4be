"""docs/presets.md: what each preset holds, and what it did to test scores (benchmarks/presets)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from card_effects import Change, change_of, words_of
from card_figures import read_record

RECORDS = Path(__file__).resolve().parent.parent / "benchmarks" / "records" / "presets"
# figure: heading, factor, +1 where more is better, digits after the point
FIGURES = {
    "loss": ("test loss", 1.0, -1, 3),
    "accuracy": ("accuracy, points", 100.0, 1, 1),
    "distance": ("energy distance to the real points", 1.0, -1, 3),
    "modes": ("of 8 modes found", 1.0, 1, 1),
}
JUDGED = ("loss", "distance")
NOTHING = "**No evidence here.** It is what the literature advises; nothing of it was measured in this project."


def preset_lines(records: Path = RECORDS) -> list[str]:
    """Return the page, without its first line."""
    from temperance.cli.catalogue import preset_rows

    lines = [
        "# Presets", "",
        "Recipes by name for common kinds of training. `Recipe.preset(name)` gives one, `replace` and `+` change it;",
        "[the guide](guide/presets.md) shows how. `temperance presets` lists them.", "",
        "Evidence: each preset beside the same training without a recipe. Pairs share rows, first weights and order of",
        "batches; both are validated once an epoch and serve the mean of their best readings. Differences with 95 %",
        "intervals over the seeds; **bold**: the interval leaves out zero. The sets shown were run once, after the",
        "presets had been chosen on others (`tuned.json`); only those of `finetune` were looked at twice",
        "(`finetune_first.json` holds the first look). A win on a small set is no promise for yours: compare with",
        "plain training. All settings and figures: `benchmarks/presets`, `benchmarks/records/presets`.", "",
    ]  # fmt: skip
    for row in preset_rows():
        lines += [f"## {row['name']}", "", row["words"], "", row["why"], "", *row["techniques"], ""]
        lines += [f"It asks for `{name}`: {words}." for name, words in row["asks"].items()]
        lines += [""] if row["asks"] else []
        lines += [*evidence(row["name"], records), ""]
    return lines


def evidence(name: str, records: Path = RECORDS) -> list[str]:
    """Return the evidence of one preset as lines."""
    found = changes(name, read_record(records / "once.json"))
    if not found:
        return [NOTHING]
    shown = [figure for figure in FIGURES if any(figure in row for row in found.values())]
    lines = [f"| set | {' | '.join(FIGURES[f][0] for f in shown)} |", "|---" * (len(shown) + 1) + "|"]
    for place, row in found.items():
        lines.append(f"| {place} | {' | '.join(words_of(row[f], FIGURES[f][3]) if f in row else '' for f in shown)} |")
    verdicts = [row[figure].verdict for row in found.values() for figure in JUDGED if figure in row]
    counts = {word: verdicts.count(word) for word in ("better", "worse", "unclear")}
    seeds = max(change.seeds for row in found.values() for change in row.values())
    judged = FIGURES[next(f for f in JUDGED if f in shown)][0].capitalize()
    said = (
        f"{seeds} seeds. {judged}: better on {counts['better']}, "
        f"worse on {counts['worse']}, not clearly either on {counts['unclear']} of {len(verdicts)}."
    )
    if not counts["better"]:
        said += " **We could not confirm a gain in it here.**"
    return [*lines, "", said]


def changes(name: str, kept: dict[str, Any]) -> dict[str, dict[str, Change]]:
    """Return set → figure → change by the preset, over the seeds that both have."""
    found: dict[str, dict[str, Change]] = {}
    for cell, row in sorted(kept.get("cells", {}).items()):
        kind, place, recipe = cell.split(" / ")
        plain = kept["cells"].get(f"{kind} / {place} / plain", {"seeds": {}})["seeds"]
        both = [seed for seed in row["seeds"] if seed in plain]
        if (kind, recipe) != (name, "preset") or len(both) < 2:
            continue
        found[place] = {
            figure: change_of([row["seeds"][s][figure] - plain[s][figure] for s in both], factor, better)
            for figure, (_, factor, better, _) in FIGURES.items()
            if all(figure in row["seeds"][s] for s in both)
        }
    return found
