"""Who does the work: an interface that knows jobs and nothing of where they run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Event = dict[str, Any]
Reply = Callable[[Event], None]


@dataclass(eq=False)
class Lease:
    """A job that a worker holds.

    Attributes:
        number: of the job; rising.
        job: what it says, JSON-safe.
        worker: number of the worker.
        since: ``time.monotonic()`` of its start.
        attempt: 0, or 1 where a first worker ended under it.
        stopped: it was asked to end.

    """

    number: int
    job: dict[str, Any] = field(default_factory=dict)
    worker: int = 0
    since: float = 0.0
    attempt: int = 0
    stopped: bool = False

    @property
    def kind(self) -> str:
        """What kind of job it is."""
        return str(self.job.get("job", ""))


class Answer(NamedTuple):
    """Something that a worker said. ``lease`` is None where a worker without a job said it; ``reply`` answers a mark.

    The event is ``mark``, ``done``, ``failed`` (these end the job), or ``lost``: a worker ended by itself. After that
    the job runs on another one (``retried``), or its ``failed`` follows.
    """

    lease: Lease | None
    event: Event
    reply: Reply


class Workers(ABC):
    """Workers of one study: local processes today; other machines or a cluster could stand behind the same calls.

    Attributes:
        count: jobs that can run at once.

    """

    count: int

    @property
    @abstractmethod
    def idle(self) -> int:
        """How many jobs can be started now."""

    @property
    @abstractmethod
    def running(self) -> list[Lease]:
        """Jobs that run now."""

    @abstractmethod
    def start(self, kind: str, **values: Any) -> Lease:
        """Give a job to an idle worker.

        Raises:
            StudyError: none is idle.

        """

    @abstractmethod
    def wait(self, seconds: float) -> list[Answer]:
        """Return what workers said, waiting at most ``seconds`` for the first word.

        Raises:
            StudyError: workers cannot be started at all.

        """

    @abstractmethod
    def stop(self, lease: Lease) -> None:
        """Ask a job to end at its next step and to keep what it has."""

    @abstractmethod
    def kill(self, lease: Lease) -> None:
        """End a job at once; nothing is kept, and no answer follows."""

    @abstractmethod
    def close(self) -> None:
        """End all workers."""
