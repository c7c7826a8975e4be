"""A project: one data set, what its owner decided about it, and the study that was asked for. Kept in its folder."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from temperance.data.choices import Choices, choose
from temperance.records.atomic import write_text
from temperance.records.errors import SettingError
from temperance.records.plain_json import dumps
from temperance.records.restore import known

HOME = "app"  # folder inside a study's folder that holds what the app keeps
FILE = "project.json"


@dataclass(frozen=True)
class Project:
    """What is known of one data set.

    Attributes:
        title: what to call it.
        source: ``{"kind": "upload" | "file" | "bundled", "name": …}``; an upload lies in the project's own folder.
        target: column to predict; empty until it was chosen.
        test: source of a second file that is the test; empty: a part of the rows is.
        task: ``auto``, ``classification``, ``ordinal``, ``regression`` or ``counts``.
        group: column whose values stay together.
        time: column to split by.
        weight: column of weights of the rows.
        series: column whose rows of one value are one series, in the order of `time`.
        lags: earlier values of the answer that are inputs, in steps, as ``--lags`` takes it; empty: no forecast.
        horizon: steps ahead that are forecast; empty: 1.
        by: with lags, the column that tells several series apart.
        columns: how columns are read, as ``--column`` takes it, by name.
        na_values: words that mean "missing"; empty: the usual ones.
        sheet: sheet of a workbook.
        sep: separator.
        answers: to questions of the audit, by finding.
        options: of the study, by name.
        asked: ``time.time()`` at which a study was asked for; 0 where none was.
        more: budget to go on with an earlier study; empty for a new one.
        example: key of the built-in example; empty for none.

    """

    title: str
    source: dict[str, str]
    target: str = ""
    test: dict[str, str] = field(default_factory=dict)
    task: str = "auto"
    group: str = ""
    time: str = ""
    weight: str = ""
    series: str = ""
    lags: str = ""
    horizon: str = ""
    by: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    na_values: str = ""
    sheet: str = ""
    sep: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    asked: float = 0.0
    more: str = ""
    example: str = ""

    @property
    def choices(self) -> Choices:
        """What its owner decided, as the reader takes it.

        Raises:
            SettingError: a decision that cannot be understood.

        """
        if self.horizon and not (self.horizon.isdecimal() and int(self.horizon) > 0):
            raise SettingError(f"{self.horizon[:40]!r} steps ahead", "a whole number from 1 up", "Write for example 1")
        return choose(
            self.columns, na_values=self.na_values or None, sheet=self.sheet or None, sep=self.sep or None,
            id_column=self.series or None, lags=self.lags or None,
            horizon=int(self.horizon) if self.horizon else None, by=self.by or None,
        )  # fmt: skip

    @property
    def key(self) -> str:
        """A hash of all that decides how the data are read."""
        said: list[Any] = [self.source, self.target, self.test, self.task, self.group, self.time, self.columns]
        said += [self.na_values, self.sheet, self.sep, self.weight, self.series, self.lags, self.horizon, self.by]
        return hashlib.sha256(dumps(said).encode()).hexdigest()

    def changed(self, **values: Any) -> Project:
        """Return a copy with other values."""
        return replace(self, **values)

    def arguments(self, folder: Path, root: Path) -> list[str]:
        """Return the options of the command line that read the data so; values cannot be taken for options."""
        words = [f"--column={name}={how}" for name, how in self.columns.items()]
        words += [f"--test={source_path(self.test, folder, root)}"] if self.test else []
        pairs = {
            "target": self.target, "group": self.group, "time": self.time, "na-values": self.na_values,
            "sheet": self.sheet, "sep": self.sep, "weight": self.weight, "id": self.series, "lags": self.lags,
            "horizon": self.horizon, "by": self.by,
        }  # fmt: skip
        return words + [f"--{name}={value}" for name, value in pairs.items() if value]

    def save(self, folder: Path) -> None:
        """Write it into its folder."""
        home(folder).mkdir(parents=True, exist_ok=True)
        write_text(home(folder) / FILE, dumps(asdict(self), indent=1))


def load(folder: Path) -> Project | None:
    """Return the project of a folder; None where the app keeps none there, or it cannot be read."""
    try:
        row = json.loads((home(folder) / FILE).read_text(encoding="utf-8"))
        made = Project(**known(Project, row))
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    sources = [made.source, made.test or made.source]
    return made if all(isinstance(one, dict) and {"kind", "name"} <= one.keys() for one in sources) else None


def home(folder: Path) -> Path:
    """Return where the app keeps what it knows of a study's folder."""
    return folder / HOME


def source_path(source: dict[str, str], folder: Path, root: Path) -> str:
    """Return what to read, as the command line takes it from ``root``: a path in it, or the name of a bundled set."""
    kind, name = source["kind"], Path(source["name"]).name
    if kind == "bundled":
        return f"sklearn:{name}"
    path = home(folder) / "data" / name if kind == "upload" else root / name
    told = path.relative_to(root).as_posix()
    return f"./{told}" if told.startswith("-") else told


def now() -> float:
    """Return the time, in seconds since 1970."""
    return time.time()
