"""``temperance share``: a study as a folder that others can verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from temperance.cli import options
from temperance.cli.console import Console


def share(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a finished study.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to write.", show_default="DIR-shared")
    ] = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Write a study as a folder for others: recipe, ledger, records, hashes.

    Neither data nor model are in it, nor the names of your folders. Cards and profile are: they hold figures about the
    data and common values. Others run a trial again with `temperance verify FOLDER --replay --data FILE`.
    """
    from temperance.lifecycle.sharing import share as write

    place = out if out is not None else folder.resolve().with_name(f"{folder.resolve().name}-shared")
    index = write(folder, place)
    value = {"folder": str(place), "files": len(index["files"]), "trials": [row["id"] for row in index["trials"]]}
    said = f"{len(index['files'])} files are in {place}. Look through them before you hand them on."
    Console(as_json, quiet).result(value, said)
