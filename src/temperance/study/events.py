"""What happens in a study, as typed values. The ledger is these, one JSON line each; all else is folded from them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of all events. ``kind`` is its word in the ledger; ``at`` is the second of the session in which it fell."""

    kind: ClassVar[str] = ""
    at: float = 0.0

    def to_dict(self) -> Row:
        """Return the line of the ledger."""
        return {"event": self.kind, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class Began(Event):
    """A session began: the first of a study, or one that goes on with it. ``moment`` is ``time.time()``, to be read."""

    kind: ClassVar[str] = "study"
    settings: Row = field(default_factory=dict)
    workers: int = 1
    moment: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Prepared(Event):
    """The data were read and split; ``data`` is the hash of their content."""

    kind: ClassVar[str] = "data"
    data: str = ""


@dataclass(frozen=True, kw_only=True)
class Audited(Event):
    """The audit ended with these findings, or failed with ``why``; ``wall``: seconds that it held a worker."""

    kind: ClassVar[str] = "audit"
    findings: tuple[Row, ...] = ()
    why: str = ""
    wall: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Paced(Event):
    """The speed of a net was measured; ``settings`` fit the budget, ``wanted`` were the full ones.

    ``own`` is what a user's ``Task`` says of its training: ``epochs``, ``batch_size``, ``recipe``; ``wall``: seconds
    that the measurement held a worker.
    """

    kind: ClassVar[str] = "pace"
    speed: Row = field(default_factory=dict)
    settings: Row = field(default_factory=dict)
    wanted: Row = field(default_factory=dict)
    own: Row = field(default_factory=dict)
    wall: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Proposed(Event):
    """A trial was proposed and started; ``by`` names who asked for it."""

    kind: ClassVar[str] = "start"
    spec: Row = field(default_factory=dict)
    by: str = ""


@dataclass(frozen=True, kw_only=True)
class Marked(Event):
    """A trial passed a mark: its predictions lie in ``file``, and it was judged against the best there."""

    kind: ClassVar[str] = "mark"
    trial: str = ""
    fraction: float = 0.0
    file: str = ""
    loss: float | None = None
    goes_on: bool = True
    best: str = ""
    difference: float | None = None
    p: float | None = None


@dataclass(frozen=True, kw_only=True)
class Tried(Event):
    """A trial ended: done, discarded, failed or interrupted. ``quality`` is its mean loss on the selection rows."""

    kind: ClassVar[str] = "trial"
    spec: Row = field(default_factory=dict)
    result: Row = field(default_factory=dict)
    quality: float | None = None


@dataclass(frozen=True, kw_only=True)
class Lost(Event):
    """A worker process ended by itself; its job, if it had one, is tried once more (``retried``)."""

    kind: ClassVar[str] = "lost"
    worker: int = 0
    code: int | None = None
    job: str = ""
    trial: str = ""
    retried: bool = False


@dataclass(frozen=True, kw_only=True)
class LeftOut(Event):
    """Something was not done, and why."""

    kind: ClassVar[str] = "left_out"
    what: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Stopped(Event):
    """The user asked the study to end (Ctrl-C, SIGTERM); trainings stop at their next step."""

    kind: ClassVar[str] = "stopped"


@dataclass(frozen=True, kw_only=True)
class Mixed(Event):
    """An ensemble of finished trials was weighed."""

    kind: ClassVar[str] = "ensemble"
    spec: Row = field(default_factory=dict)
    result: Row = field(default_factory=dict)
    members: dict[str, float] = field(default_factory=dict)
    quality: float | None = None


@dataclass(frozen=True, kw_only=True)
class Chosen(Event):
    """The winner was chosen; ``fit_seconds`` are the worker seconds of the trials that entered the choice."""

    kind: ClassVar[str] = "choice"
    winner: str = ""
    why: str = ""
    comparison: tuple[Row, ...] = ()
    frontier: tuple[str, ...] = ()
    fit_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Refitted(Event):
    """A model was trained again on more rows; ``wall`` is what that took in all."""

    kind: ClassVar[str] = "refit"
    id: str = ""
    rows: int = 0
    cost: Row = field(default_factory=dict)
    acted: tuple[Row, ...] = ()
    trace: tuple[Row, ...] = ()
    wall: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Finished(Event):
    """A model was tested, and exported where it ships; ``wall``: seconds that this held a worker."""

    kind: ClassVar[str] = "finish"
    name: str = ""
    trial: str = ""
    evaluation_seconds: float = 0.0
    export_seconds: float | None = None
    temperature: float | None = None
    calibration: Row | None = None
    wall: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Failed(Event):
    """The session ended with an error."""

    kind: ClassVar[str] = "failed"
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Ended(Event):
    """The session ended with a ``study.json``."""

    kind: ClassVar[str] = "end"
    status: str = ""
    spent: Row = field(default_factory=dict)


EVENTS: dict[str, type[Event]] = {
    one.kind: one
    for one in (
        Began, Prepared, Audited, Paced, Proposed, Marked, Tried, Lost, LeftOut, Stopped, Mixed, Chosen, Refitted,
        Finished, Failed, Ended,
    )
}  # fmt: skip


def from_row(row: Row) -> Event | None:
    """Return the event of one line; None for a kind of a newer version. Unknown fields are ignored."""
    cls = EVENTS.get(str(row.get("event", "")))
    if cls is None:
        return None
    known = {f.name for f in fields(cls)}
    values = {key: value for key, value in row.items() if key in known}
    fitting: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    return cls(**fitting)
