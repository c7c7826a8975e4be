"""``temperance export``: any candidate of a study as a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from temperance.cli import options
from temperance.cli.console import Console
from temperance.cli.progress import progress


def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a study.")],
    trial: Annotated[str, typer.Option("--trial", metavar="ID", help="A trial, e.g. t003: see leaderboard.csv.")],
    out: options.Out = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Write any trial of a study as a bundle.

    For a candidate of the frontier that suits you better than the winner. It is trained on all rows that were not kept
    for the test, tested, and written to DIR/bundle-ID or --out. The study's own bundle stays as it is.
    """
    from temperance.study.exporting import export as run

    with progress(quiet=quiet or as_json) as shown:
        value = run(folder, trial, out=out, started=context.obj.moment, progress=shown)
    Console(as_json, quiet).result(value, text(value))


def text(value: dict[str, Any]) -> str:
    """Return the outcome in words."""
    return f"{value['name']} ({value['trial']}) is written to {value['bundle']}."
