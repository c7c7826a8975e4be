"""What a study is asked to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from temperance.records.decision import Price
from temperance.records.errors import SettingError, nearest
from temperance.records.stated_range import check_level
from temperance.study.clock import Budget

PREFER = ("best", "balanced", "cheap")


@dataclass(frozen=True)
class StudySettings:
    """The settings of one study; the names are those of the command line.

    Attributes:
        data: path, bundled set, or ``(X, y)``.
        target: column to predict; None where the source fixes it.
        out: study folder.
        budget: time, trials, or one run.
        test: second source, used as the test set.
        task: ``auto``, ``classification``, ``regression`` or ``module:function``.
        group: column whose values must not be split across roles.
        time: column to split by in time.
        weight: column of weights of the rows, 0 or more: in training, in the choice and in the figures of the test.
        metric: metric that decides; None: log loss, or RMSE.
        seed: of everything random.
        max_latency_ms: trials that are slower for one row cannot win.
        max_bytes: trials that are larger cannot win.
        device: ``auto``, ``cpu``, ``cuda`` …
        workers: processes; None: one per core.
        suite: evaluation of the winner.
        started: ``time.monotonic()`` that the budget counts from; None: the start of this process.
        command: what to record as the command.
        prefer: ``best``: the lowest held-out loss wins; ``balanced`` and ``cheap`` give weight to what use costs.
        only: only the user's own net may win; with ``task="module:function"``.
        candidates: from outside: ``module:name`` each, or (from Python) estimators.
        starts: recipes that are tried first, ``{"name", "recipe", "settings"}`` each; see ``study.starts``.
        net: ``module:function`` of a user's net beside a ``task`` that says what is predicted; else it is in ``task``.
        reading: what the user decided about reading the data, as a file of ``--schema`` has it.
        costs: (truth, answer, cost) of the mistakes whose costs were named; empty: all cost the same.
        interval: share of rows that the range around a predicted number is to hold; None: 0.9.
        licence: of the data, as an SPDX expression; empty: looked for in files beside the data.
        beside: ``weight``, ``group``, ``time`` per row of data in memory, as fields of a table; those that there are.
        weigh_test: figures of the test rows are weighted too.
        audit: run the audit.
        bundle: export a bundle.
        marks: the bundle holds marks of the rows that it was made from, so that it knows them again.

    """

    data: Any
    target: str | None
    out: Path
    budget: Budget
    test: Any = None
    task: str = "auto"
    group: str | None = None
    time: str | None = None
    weight: str | None = None
    metric: str | None = None
    seed: int = 0
    max_latency_ms: float | None = None
    max_bytes: float | None = None
    device: str = "auto"
    workers: int | None = None
    suite: str = "quick"
    started: float | None = None
    command: str = ""
    prefer: str = "best"
    only: bool = False
    candidates: tuple[Any, ...] = ()
    starts: tuple[dict[str, Any], ...] = ()
    net: str = ""
    reading: dict[str, Any] = field(default_factory=dict)
    costs: tuple[Any, ...] = ()
    interval: float | None = None
    licence: str = ""
    beside: dict[str, Any] = field(default_factory=dict)
    weigh_test: bool = True
    audit: bool = True
    bundle: bool = True
    marks: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", tuple(self.starts))
        object.__setattr__(self, "costs", tuple(Price(*one) for one in self.costs))
        check_level(self.interval)
        if self.prefer not in PREFER:
            raise SettingError(
                f"prefer={self.prefer!r}", ", ".join(PREFER), nearest(self.prefer, PREFER) or "Use prefer='best'"
            )
        if self.only and not self.user_task:
            raise SettingError("only=True without a net", "task='module:function'", "Name your net, or leave only out")

    @property
    def user_task(self) -> str:
        """``module:function`` of a user's net, or empty."""
        return self.net or (self.task if ":" in self.task else "")

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields; data given in memory become a word."""
        return {
            "data": str(self.data) if isinstance(self.data, (str, Path)) else "in memory",
            "target": self.target,
            "budget": asdict(self.budget),
            "test": str(self.test) if isinstance(self.test, (str, Path)) else ("in memory" if self.test else None),
            "task": self.task, "group": self.group, "time": self.time, "weight": self.weight,
            "weigh_test": self.weigh_test, "metric": self.metric, "seed": self.seed,
            "max_latency_ms": self.max_latency_ms, "max_bytes": self.max_bytes, "device": self.device,
            "workers": self.workers, "suite": self.suite, "command": self.command, "prefer": self.prefer,
            "only": self.only, "reading": self.reading, "audit": self.audit, "bundle": self.bundle,
            "starts": list(self.starts), "net": self.net, "costs": [list(one) for one in self.costs],
            "interval": self.interval, "licence": self.licence, "marks": self.marks,
            "candidates": [one if isinstance(one, str) else type(one).__name__ for one in self.candidates],
        }  # fmt: skip
