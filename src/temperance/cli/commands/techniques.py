"""``temperance techniques``: what there is to regularize with."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import typer

from temperance.cli import options
from temperance.cli.console import Console, table


def techniques(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One technique, e.g. Dropout.")] = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """List the techniques, or explain one.

    For one: what it does, its strengths, its cost, its sources.
    With --json: a list of objects, also for one technique.
    """
    from temperance.cli.catalogue import catalogue, entry

    rows = [entry(name)] if name else catalogue()
    Console(as_json, quiet).result(rows, explained(rows[0]) if name else listed(rows))


def listed(rows: list[dict[str, Any]]) -> str:
    """Return all techniques as a table, family by family."""
    lines: list[str] = []
    for family in dict.fromkeys(row["family"] for row in rows):
        mine = [row for row in rows if row["family"] == family]
        lines += [f"{family}:", table([(row["name"], row["summary"]) for row in mine])]
    return "\n".join([*lines, "", "More about one: temperance techniques NAME"])


def explained(row: dict[str, Any]) -> str:
    """Return one technique in full."""
    cost = row["cost"]
    lines = [row["name"], "", inspect.cleandoc(row["doc"]), "", f"Family: {row['family']}. Stage: {row['stage']}."]
    lines.append(
        f"Passes per step: {cost['forwards']:g} forward, {cost['backwards']:g} backward. {cost['note']}".rstrip()
    )
    for strength in row["strengths"].values():
        lines.append(
            f"Strength {row['address']}.{strength['name']}: {strength['low']:g} to {strength['high']:g}, default "
            f"{strength['default']:g}, does nothing at {strength['neutral']:g}. {strength['words']}".rstrip()
        )
    return "\n".join([*lines, *(f"Source: {reference['text']}" for reference in row["references"])])
