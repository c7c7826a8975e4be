"""Joins the stations of a study: search, cards, report. The study itself knows neither cards nor report."""

from __future__ import annotations

import shlex
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from temperance.cli.console import Console
from temperance.cli.guard import Interrupted
from temperance.cli.progress import progress
from temperance.records.atomic import write_text
from temperance.records.errors import StudyError
from temperance.records.plain_json import dumps

if TYPE_CHECKING:
    from temperance.study.desk import Progress

Action = Callable[["Progress", Callable[[Path], object]], Path]
TRACES = ("study.json", "several.json", "ledger.jsonl", "work", "bundle")  # what a study's folder has


def study_folder(out: Path | None, name: str) -> Path:
    """Return the folder for a new study: ``out``, or a free name made of the data's name.

    Raises:
        StudyError: ``out`` is a file or holds a study.

    """
    if out is None:
        stem = "".join(c if c.isalnum() or c in "-_" else "-" for c in Path(name.rpartition(":")[2]).stem) or "study"
        numbers = (Path(f"temperance-{stem}" + (f"-{i}" if i > 1 else "")) for i in range(1, 1_000_000))
        return next(folder for folder in numbers if not folder.exists())
    if out.exists() and not out.is_dir():
        raise StudyError(f"--out {out} is a file", "a folder", "Choose another name")
    clean(out, begun=True)
    if any((out / trace).exists() for trace in TRACES):
        raise StudyError(
            f"--out {out} holds a study",
            "a new folder, so that nothing is lost",
            f"Continue that study with `temperance study --resume {out}`, or choose another --out",
        )
    return out


def clean(folder: Path, *, begun: bool) -> None:
    """Take away what a study left that holds nothing and would stand in the way.

    The folder goes too where nothing else lies in it.

    Args:
        folder: of the study.
        begun: also where its data were read, but no model was finished: it failed, or a new one is to begin here. Left
            alone, it could be resumed.

    """
    from temperance.study.ledger import barely_began, holds_nothing
    from temperance.study.lock import owner_of

    owner = owner_of(folder)
    empty = holds_nothing(folder) if begun else barely_began(folder)
    if (owner is not None and owner.is_alive) or not empty:
        return
    shutil.rmtree(folder / "work", ignore_errors=True)
    for name in ("ledger.jsonl", "lock"):
        (folder / name).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def command_line(context: typer.Context) -> str:
    """Return the command as it was typed, or only its name where it was called from Python."""
    typed = sys.argv[1:] if context.obj.process else [context.info_name or ""]
    return " ".join(["temperance", *map(shlex.quote, typed)])


def told_command() -> str:
    """Return the command line of this process, for a record of what was run."""
    return " ".join(["temperance", *map(shlex.quote, sys.argv[1:])])


def run_study(action: Action, folder: Path, *, console: Console, language: str = "en") -> dict[str, Any]:
    """Run a study, write its cards and its report, and return ``study.json``.

    Args:
        action: runs the study, given what shows its progress, and what writes cards and report (under its lock).
        folder: the study's folder.
        console: where to print.
        language: of the report.

    Raises:
        TemperanceError: the study cannot be run; what it only just began is taken away again.
        Interrupted: the user stopped it before a model could be finished; the text says how to go on.

    """
    try:
        with progress(quiet=console.quiet or console.as_json) as shown, ended_by_signals():
            action(shown, Publisher(language))
    except KeyboardInterrupt:
        told = kept(folder)
        clean(folder, begun=False)
        raise Interrupted(told) from None
    except BaseException:
        clean(folder, begun=True)
        raise
    return read_study(folder)


@dataclass(frozen=True)
class Publisher:
    """What follows a study, see ``study.study.Then``: its cards and its report in a ``language``."""

    language: str = "en"

    def prepare(self) -> None:
        """Load what writes them, while the first trials run."""
        from temperance import report
        from temperance.lifecycle import papers  # noqa: F401
        from temperance.report import page  # noqa: F401

        report.prepare()

    def __call__(self, folder: Path) -> object:
        """Write them."""
        return publish(folder, language=self.language)


def publish(folder: Path, *, language: str = "en") -> dict[str, Any]:
    """Write cards and report of a finished study, note the time that took, and return ``study.json``."""
    from temperance import report

    began = time.monotonic()
    document = read_study(folder)
    write_cards(folder, document)
    report.render(folder, language=language)
    document["budget"]["spent"]["publishing"] = round(time.monotonic() - began, 3)
    write_text(folder / "study.json", dumps(document, indent=1))
    return document


def read_study(folder: Path) -> dict[str, Any]:
    """Return ``study.json`` of a folder.

    Raises:
        StudyError: it is missing, damaged or newer.

    """
    from temperance.report.page import read

    return read(folder)


def write_cards(folder: Path, document: dict[str, Any], *, keep: bool = False) -> list[Path]:
    """Write every document of a study; see ``lifecycle.papers.write_papers``."""
    from temperance.lifecycle.papers import write_papers

    return write_papers(folder, document, keep=keep)


def kept(folder: Path) -> str:
    """Say what an interrupted study kept and how to go on."""
    from temperance.study.ledger import barely_began, read_ledger

    done = 0
    if barely_began(folder) or not folder.exists():
        return "Stopped before the data were read. Nothing was written."
    if (folder / "ledger.jsonl").exists():
        rows = read_ledger(folder / "ledger.jsonl")
        done = len({row["spec"]["id"] for row in rows if row["event"] == "trial" and row["result"]["status"] == "done"})
    trials = "1 finished trial is" if done == 1 else f"{done} finished trials are"
    return f"Stopped. {trials} kept in {folder}. Go on with: temperance study --resume {shlex.quote(str(folder))}"


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C, so that a study that is asked to end keeps what it has."""

    def stop(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not in the main thread, where signals cannot be caught
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
