"""``study --resume``: which options may stand beside it, and what is said of a study that is complete."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from temperance.cli.console import Console
from temperance.cli.stations import read_study
from temperance.cli.verdict import summary, text
from temperance.records.errors import SettingError, StudyError

if TYPE_CHECKING:
    from temperance.study.clock import Budget

MAY_CHANGE = ("budget", "workers", "prefer", "max_latency", "max_size")
OF_THIS_RUN = ("resume", "language", "as_json", "quiet")


def check_kept(context: typer.Context) -> None:
    """Refuse options beside ``--resume`` that would be passed over in silence.

    Raises:
        SettingError: there is one.

    """
    given = [one for one in context.command.params if is_typed(context, one.name or "")]
    other = [one for one in given if one.name not in (*MAY_CHANGE, *OF_THIS_RUN)]
    if other:
        words = [one.opts[0] if one.param_type_name == "option" else "DATA" for one in other]
        known = ", ".join(f"--{name.replace('_', '-')}" for name in MAY_CHANGE)
        raise SettingError(
            f"--resume with {', '.join(words)}",
            f"a study keeps its data and its settings; what may change is {known}",
            f"Leave {', '.join(words)} out, or start a new study",
        )


def is_typed(context: typer.Context, name: str) -> bool:
    """Return whether an option was given, rather than left at its default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name not in ("DEFAULT", "DEFAULT_MAP")


def is_told_complete(folder: Path, *, budget: Budget | None, console: Console) -> bool:
    """Return whether a study is complete, and say so; nothing of it is changed.

    Args:
        folder: the study's folder.
        budget: what was asked for on top; None: nothing.
        console: where to print.

    Raises:
        StudyError: the folder holds no study.

    """
    from temperance.study.again import is_complete

    if not (folder / "ledger.jsonl").is_file():
        raise StudyError(
            f"there is no study in {folder}", "a folder that `temperance study` wrote", "Check the name after --resume"
        )
    if not is_complete(folder, budget=budget):
        return False
    document = read_study(folder)
    seconds = float(document["budget"]["spent"]["total"]) + float(document["budget"].get("before") or 0.0)
    said = f"This study is complete; nothing was changed. To search on: {more_for(folder, document)}"
    console.result(summary(folder, document, seconds=seconds), f"{said}\n\n{text(folder, document, seconds=seconds)}")
    return True


def more_for(folder: Path, document: dict[str, Any]) -> str:
    """Return the command that gives a complete study more."""
    trials = sum(trial["kind"] != "ensemble" for trial in document["trials"])
    more = "10m" if document["budget"]["kind"] == "clock" else f"{trials + 10}trials"
    return f"temperance study --resume {shlex.quote(str(folder))} --budget {more}"
