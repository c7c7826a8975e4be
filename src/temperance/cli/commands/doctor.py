"""``temperance doctor``: does it work here, and what to do where it does not."""

from __future__ import annotations

import textwrap
from pathlib import Path

import typer

from temperance.cli import options
from temperance.cli.console import Console
from temperance.cli.doctor.base import ABSENT, BROKEN, FINE, LOOK, Check, Condition, examined, verdict
from temperance.cli.guard import FAILED

MARKS = {FINE: "fine  ", LOOK: "look  ", BROKEN: "BROKEN", ABSENT: "-     "}
ENDS = {
    FINE: "All is well.",
    LOOK: "It works. What is marked 'look' could be better.",
    BROKEN: "What is marked BROKEN must be mended first.",
}


def doctor(as_json: options.AsJson = False, quiet: options.Quiet = False) -> None:
    """Check that Temperance works on this machine, and say what to do where it does not.

    Looks at Python, PyTorch and its GPU, cores, memory, disk, the needed and the optional packages (each is tried),
    terminal and fonts. Nothing is changed or sent. Exit status 1 where something is broken.
    """
    console = Console(as_json, quiet)
    found: list[Condition] = []
    for one in examined(checks()):
        found.append(one)
        if not as_json and not quiet:
            print(line_of(one), flush=True)
    worst = verdict(found)
    if as_json:
        console.result({"verdict": worst, "conditions": [one.to_dict() for one in found]}, "")
    else:
        console.result(None, f"\n{ENDS[worst]}")
    if worst == BROKEN:
        raise typer.Exit(FAILED)


def checks() -> list[Check]:
    """Return all checks, the quick ones first."""
    from temperance.cli.doctor.machine import Machine
    from temperance.cli.doctor.packages import Packages
    from temperance.cli.doctor.pytorch import PyTorch
    from temperance.cli.doctor.terminal import Terminal

    return [Machine(Path()), Terminal(), PyTorch(), Packages()]


def line_of(one: Condition) -> str:
    """Return what was found as a line or two."""
    head = f"{MARKS[one.state]}  {one.name}: "
    text = textwrap.fill(
        head + one.said, 100, subsequent_indent=" " * 8, break_on_hyphens=False, break_long_words=False
    )
    if one.remedy and one.state != ABSENT:
        text += "\n" + textwrap.fill(
            f"What to do: {one.remedy}.", 100, initial_indent=" " * 8, subsequent_indent=" " * 10,
            break_on_hyphens=False, break_long_words=False,
        )  # fmt: skip
    elif one.remedy:
        text += f" {one.remedy}"
    return text
