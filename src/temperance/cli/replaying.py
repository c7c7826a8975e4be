"""``study --replay``: run the trials of a study again and say how many are identical bit for bit."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import typer

from temperance.cli.console import Console
from temperance.cli.guard import FAILED, Interrupted
from temperance.cli.progress import progress
from temperance.cli.stations import kept, study_folder


def run_replay(source: Path, *, out: Path | None, console: Console, **changed: Any) -> None:
    """Replay the study in ``source`` and print how many trials came out the same; ends with 1 if one did not.

    Args:
        source: folder of the study.
        out: folder for the new runs; None uses a temporary one that is taken away.
        console: where to print.
        **changed: settings that are those of this run.

    """
    from temperance.study.again import replay

    scratch = Path(tempfile.mkdtemp(prefix="temperance-replay-")) if out is None else None
    folder = scratch / "study" if scratch is not None else study_folder(out, str(source))
    try:
        with progress(quiet=console.quiet or console.as_json) as shown:
            found = replay(source, out=folder, progress=shown, **changed)
    except KeyboardInterrupt:
        raise Interrupted("Stopped. Nothing was changed." if scratch is not None else kept(folder)) from None
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
    value = {**found.to_dict(), "replay": str(source), "folder": None if out is None else str(folder)}
    console.result(value, text(value))
    if found.different:
        raise typer.Exit(FAILED)


def text(value: dict[str, Any]) -> str:
    """Return the outcome in words."""
    same, other = value["identical"], value["different"]
    lines = [f"{len(same)} of {len(same) + len(other)} trials are identical bit for bit."]
    if other:
        lines.append(f"  Different: {', '.join(other)}. Is it another machine, or are the packages other versions?")
    lines.append("The same trial won." if value["same_winner"] else "Another trial won.")
    return "\n".join(lines)
