"""One study at a time in a folder: a lock file that names its owner, taken over when the owner is gone."""

from __future__ import annotations

import json
import os
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from temperance.records.errors import StudyError
from temperance.records.plain_json import dumps

NAME = "lock"
SAME_START = 0.05  # seconds; a reading of the same process differs by less


@dataclass(frozen=True)
class Owner:
    """Who holds a folder. A process id alone is not enough: numbers are used again.

    Attributes:
        pid: of the process.
        started: what :func:`started_at` says of the process.
        host: name of its machine.

    """

    pid: int
    started: float
    host: str

    @classmethod
    def me(cls) -> Owner:
        """Return this process."""
        return cls(os.getpid(), started_at(os.getpid()), socket.gethostname())

    @property
    def is_alive(self) -> bool:
        """Whether the process runs still. One of another machine counts as alive: it cannot be asked."""
        if self.host != socket.gethostname():
            return True
        try:
            return bool(abs(started_at(self.pid) - self.started) < SAME_START)
        except psutil.Error:
            return False


def started_at(pid: int) -> float:
    """When a process started, in seconds: a mark that tells it from a later one of the same number.

    On Linux it counts from the start of the machine: ``create_time`` is put together from the wall clock there, so a
    clock that is set while a study runs would make its owner look gone.

    Raises:
        psutil.Error: there is no such process.

    """
    started = psutil.Process(pid).create_time()
    return float(started - psutil.boot_time() if sys.platform == "linux" else started)


class FolderLock:
    """Holds a folder until ``release``.

    Args:
        folder: it is made.

    Raises:
        StudyError: another study runs there.

    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self.owner = folder / NAME, Owner.me()
        while not self._create():
            other = owner_of(folder)
            if other is not None and other.is_alive:
                where = "" if other.host == self.owner.host else f" on {other.host}"
                raise StudyError(
                    f"process {other.pid}{where} runs a study in {folder}",
                    "one study at a time in a folder",
                    f"Wait for it, stop it, or choose another --out. If it is gone, remove {self.path}",
                )
            self.path.unlink(missing_ok=True)

    def release(self) -> None:
        """Give the folder back."""
        if owner_of(self.path.parent) == self.owner:
            self.path.unlink(missing_ok=True)

    def _create(self) -> bool:
        """Make the file whole beside its place and link it there: the link fails where there is one."""
        draft = self.path.with_name(f".{NAME}.{self.owner.pid}")
        draft.write_text(dumps(asdict(self.owner)), encoding="utf-8")
        try:
            os.link(draft, self.path)
        except FileExistsError:
            return False
        finally:
            draft.unlink(missing_ok=True)
        return True


def owner_of(folder: Path) -> Owner | None:
    """Return who holds a folder, dead or alive; None where nobody does or the file cannot be read."""
    try:
        row = json.loads((folder / NAME).read_text(encoding="utf-8"))
        return Owner(int(row["pid"]), float(row["started"]), str(row["host"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
