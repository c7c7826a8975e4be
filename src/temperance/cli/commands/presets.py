"""``temperance presets``: recipes by name."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from temperance.cli import options
from temperance.cli.console import Console, table


def presets(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One preset, e.g. finetune.")] = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """List the presets, or show one: recipes by name for common kinds of training.

    For one: what it is for, its techniques, what it asks for, and the recipe as TOML.
    With --json: a list of objects, also for one preset.
    """
    from temperance.cli.catalogue import preset_rows

    rows = preset_rows(name)
    Console(as_json, quiet).result(rows, shown(rows[0]) if name else listed(rows))


def listed(rows: list[dict[str, Any]]) -> str:
    """Return all presets as a table."""
    lines = [table([(row["name"], row["words"]) for row in rows]), "", "More about one: temperance presets NAME"]
    return "\n".join(lines)


def shown(row: dict[str, Any]) -> str:
    """Return one preset in full."""
    asked = [f"{name}: {words}" for name, words in row["asks"].items()]
    given = "".join(f", {name}=…" for name in row["asks"])
    return "\n".join([
        f"{row['name']}: {row['words']}", "", row["why"], "", *row["techniques"], "",
        *(["It asks for", *(f"  {line}" for line in asked), ""] if asked else []),
        f"In Python: Recipe.preset({row['name']!r}{given})", "", row["toml"].rstrip(), "",
        f"What it did to test scores: {row['evidence']}",
    ])  # fmt: skip
