"""``temperance share``: a study as a folder that others can verify."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from temperance.cli import options
from temperance.cli.console import Console
from temperance.cli.models import is_several


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
    console = Console(as_json, quiet)
    if is_several(folder):
        value = _several(folder, place)
        files = sum(one["files"] for one in value["outputs"].values())
        said = f"{files} files are in {place}, a folder for each target. Look through them before you hand them on."
        return console.result(value, f"{said}\nEach is checked by itself: temperance verify {place}/NAME")
    index = write(folder, place)
    value = {"folder": str(place), "files": len(index["files"]), "trials": [row["id"] for row in index["trials"]]}
    said = f"{len(index['files'])} files are in {place}. Look through them before you hand them on."
    return console.result(value, said)


def _several(folder: Path, place: Path) -> dict[str, Any]:
    """Write the study of each target into a folder of its own, all or none."""
    from temperance.lifecycle.sharing import share as write
    from temperance.records.errors import StudyError
    from temperance.study.several import opened

    rows = opened(folder)["outputs"]
    waiting = [row["target"] for row in rows if not (folder / "outputs" / row["folder"] / "study.json").is_file()]
    if waiting:
        raise StudyError(
            f"the study of several targets in {folder} has not finished {', '.join(waiting)}",
            "a study whose targets are all done", f"Go on with: temperance study --resume {folder}",
        )  # fmt: skip
    if place.exists():
        raise StudyError(f"--out {place} exists", "a new folder, so that nothing is lost", "Choose another name")
    outputs = {}
    try:
        for row in rows:
            index = write(folder / "outputs" / row["folder"], place / row["folder"])
            outputs[row["target"]] = {
                "folder": str(place / row["folder"]), "files": len(index["files"]),
                "trials": [one["id"] for one in index["trials"]],
            }  # fmt: skip
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return {"folder": str(place), "outputs": outputs}
