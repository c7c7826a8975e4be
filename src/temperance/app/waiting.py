"""The line of studies: one runs at a time, the next starts by itself. The folders are its only memory."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path

from temperance.app.folders import Entry, Studies
from temperance.app.jobs import interrupt
from temperance.app.options import study_arguments
from temperance.app.project import Project, now, source_path
from temperance.records.errors import StudyError
from temperance.study.lock import Owner, owner_of

log = logging.getLogger(__name__)


@dataclass
class Line:
    """Starts what was asked for, in the order of asking."""

    studies: Studies
    every: float = 1.0
    _turn: threading.Lock = field(default_factory=threading.Lock)  # who asks and who looks may come at once

    def ask(self, entry: Entry, project: Project, *, more: str = "") -> None:
        """Put a study into the line.

        Args:
            entry: its folder.
            project: what to study.
            more: budget to go on with what the folder holds; empty for a new study.

        Raises:
            StudyError: it waits or runs already.

        """
        if not entry.is_over:
            raise StudyError("this study waits or runs already", "one study at a time in a folder", "Wait for its end")
        entry.job.forget()
        project.changed(asked=now(), more=more).save(entry.path)
        self.advance()

    def leave(self, entry: Entry) -> None:
        """Take a study that waits out of the line, or ask one that runs to end and keep its best."""
        if entry.state == "queued" and entry.project is not None:
            entry.project.changed(asked=0.0).save(entry.path)
        elif entry.state == "running" and not entry.job.stop():
            owner = owner_of(entry.path)
            if owner is not None and owner.host == Owner.me().host:
                interrupt(owner.pid, group=False)
        self.advance()

    def queued(self) -> list[Entry]:
        """Return the studies that wait, the next first."""
        waiting = [entry for entry in self.studies.entries() if entry.state == "queued"]
        return sorted(waiting, key=lambda entry: entry.project.asked if entry.project else 0.0)

    def advance(self) -> None:
        """Start the next study if none runs."""
        with self._turn:
            if any(entry.state == "running" for entry in self.studies.entries()):
                return
            waiting = self.queued()
            if waiting:
                start(waiting[0], self.studies.root)

    async def run(self) -> None:
        """Advance for as long as the app runs."""
        while True:
            try:
                await asyncio.to_thread(self.advance)
            except Exception:  # one folder that cannot be written must not end the line for the others
                log.exception("the line of studies could not go on")
            await asyncio.sleep(self.every)


def start(entry: Entry, root: Path) -> None:
    """Start the study of a folder as a process of its own.

    Raises:
        StudyError: the app keeps no project there.

    """
    project = entry.project
    if project is None:
        raise StudyError("no project is kept here", "a study that the app was asked for", "Upload the data again")
    folder = entry.path.relative_to(root).as_posix() if entry.path != root else "."
    if project.more:
        budget = [f"--budget={project.more}"] if project.more != "rest" else []
        arguments = ["study", f"--resume={folder}", *budget, "--json"]
    else:
        data = source_path(project.source, entry.path, root)
        arguments = [
            "study",
            data,
            *project.arguments(entry.path, root),
            *study_arguments(project),
            f"--out={folder}",
            "--json",
        ]
    entry.job.start(arguments, root)
