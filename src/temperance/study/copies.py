"""Copies of a worker process that has loaded what all of them need: made in it, watched from the study. Linux only."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

REAPED_WITHIN = 0.5  # seconds that a copy's end may take to be noticed by the process that it came from


class Copy:
    """A copied process as the study sees it: no child of its own, so its exit code stays unknown.

    Attributes:
        pid: None until it has said so.

    """

    def __init__(self) -> None:
        self.pid: int | None = None
        self._handle, self._over = -1, False

    def known(self, pid: int) -> None:
        """Note who it is. A handle stays with this process even where the system gives its number to another."""
        if self.pid is None:
            self.pid = pid
            with suppress(OSError):  # it has ended meanwhile, or the system has no handles: its number serves then
                self._handle = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Return None: that it has ended is told by its pipe."""
        return None

    def kill(self) -> None:
        """End it; one that was never made, or has ended, is left alone."""
        with suppress(ProcessLookupError):
            if self._handle >= 0:
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            elif self.pid is not None and not self._over:
                os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> None:
        """Wait until it has ended; one that is known by its number alone is not waited for."""
        if self._handle >= 0:
            select.select([self._handle], [], [])
            os.close(self._handle)
        self._handle, self._over = -1, True

    @property
    def is_there(self) -> bool:
        """Whether it runs, or has ended and its parent has not noticed."""
        try:
            os.kill(self.pid or 0, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return self.pid is not None


def end(copies: Sequence[Copy]) -> None:
    """End copies, and give the process that they came from a moment to count their seconds among its own."""
    for one in copies:
        one.kill()
    for one in copies:
        one.wait()
    until = time.monotonic() + REAPED_WITHIN
    while time.monotonic() < until and any(one.is_there for one in copies):
        time.sleep(0.002)


def become(numbers: Sequence[str], own: int) -> int:
    """Make a copy of this process for each pair of pipes, and return where this process, or the copy, says its words.

    A copy reads from its own pipe as standard input. Where threads run already a copy could hang in what they held: a
    fresh process is started instead.

    Args:
        numbers: of the open pipes, as text: what a copy reads, what it says, and so on.
        own: the descriptor that this process says its words to.

    """
    pipes = [int(number) for number in numbers]
    made: list[int] = []
    if len(pipes) % 2:
        raise ValueError(f"{len(pipes)} pipes; each copy takes two")
    while pipes:
        read, said, *pipes = pipes
        if _has_threads():
            command = [sys.executable, "-m", "temperance.study.worker"]
            made.append(subprocess.Popen(command, stdin=read, stdout=said, start_new_session=True).pid)
        else:
            made.append(os.fork())
            if made[-1] == 0:
                os.setsid()
                os.dup2(read, 0)
                for fd in (read, own, *pipes):
                    os.close(fd)
                return said
        os.close(read)
        os.close(said)
    if made:
        count = _counting(made)
        signal.signal(signal.SIGCHLD, count)
        count(signal.SIGCHLD, None)
    return own


def _has_threads() -> bool:
    """Return whether threads run beside this one, those of libraries too; so it is where that cannot be told."""
    tasks = Path("/proc/self/task")
    return not tasks.exists() or len(list(tasks.iterdir())) > 1


def _counting(made: list[int]) -> Callable[[int, FrameType | None], None]:
    """Return a handler that waits for copies that have ended; other children are their starters' business."""

    def ended(_: int, __: FrameType | None) -> None:
        for pid in list(made):
            with suppress(ChildProcessError):
                if os.waitpid(pid, os.WNOHANG)[0] == pid:
                    made.remove(pid)

    return ended
