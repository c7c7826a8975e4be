"""The study: search under a budget, conclude, write down."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from temperance.records.errors import DataError
from temperance.study.lock import FolderLock
from temperance.study.processes import started
from temperance.study.settings import StudySettings
from temperance.study.signals import asked_by_signals
from temperance.study.spec import TrialSpec

if TYPE_CHECKING:
    from temperance.study.desk import Desk, Progress

Then = Callable[[Path], object]


class Study:
    """One study in one folder; ``run`` does all of it, or goes on with what an earlier run left there.

    Args:
        settings: what to do.
        progress: told of every step.
        replay: specs of an earlier study to run again, in order, instead of a search.
        then: called with the folder once ``study.json`` is there, while the folder is still held: cards, report. Its
            ``prepare``, where it has one, is called while the first trials run.

    """

    def __init__(
        self, settings: StudySettings, *, progress: Progress | None = None, replay: list[TrialSpec] | None = None,
        then: Then | None = None,
    ) -> None:  # fmt: skip
        self.settings, self.progress, self.replay, self.then = settings, progress, replay, then

    def run(self) -> Path:
        """Run everything and return the study folder.

        Ctrl-C or SIGTERM ends the trainings at their next step, and what they have is kept, tested and exported. A
        second one ends the study at once; it can be resumed.

        Raises:
            TemperanceError: it cannot be run; the message says what to do.
            KeyboardInterrupt: it was stopped before any model was there.
            DataError: the disk is full.

        """
        try:
            desk = self._desk()
            try:
                return self._run(desk)
            except BaseException as fault:
                desk.fail(fault)
                raise
            finally:
                desk.close()
        except OSError as fault:
            if fault.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise DataError(
                f"the disk of {self.settings.out} is full", "space for the data and the models",
                "Free some space and try again",
            ) from fault  # fmt: skip

    def _desk(self) -> Desk:
        """Start the workers, and only then load what this process needs: they take as long to start as that does."""
        lock = FolderLock(self.settings.out)
        workers = None
        try:
            (self.settings.out / "ledger.jsonl").touch()  # the first trace: from here on the folder is a study's
            workers = started(self.settings)
            from temperance.study.desk import Desk

            return Desk(
                self.settings, progress=self.progress, patient=self.replay is not None, workers=workers, lock=lock
            )
        except BaseException:
            if workers is not None:
                workers.close()
            lock.release()
            raise

    def _run(self, desk: Desk) -> Path:
        desk.open()  # before anything else is loaded: workers wait for the data
        from temperance.study import document
        from temperance.study.finale import conclude
        from temperance.study.search.loop import search

        with asked_by_signals(desk.ask_to_stop):
            try:
                search(desk, replay=self.replay, meanwhile=getattr(self.then, "prepare", None))
            except KeyboardInterrupt:
                desk.ask_to_stop()
                desk.settle()
            if desk.state.stopped and not desk.state.done:
                raise KeyboardInterrupt
            outcome = conclude(desk)
            desk.clock.begin("report")
            folder = document.write(desk, outcome)
            if self.then is not None:
                self.then(folder)
            return folder
