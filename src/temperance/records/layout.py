"""How rows of a file become rows of a table: many rows that are one series, rows that follow each other in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Long:
    """A long table: the rows of one ``id``, in the order of ``time``, are one series.

    Attributes:
        id: column that names the series.
        time: column, or columns joined by ``+``, that orders the rows of a series; empty: the order of the file.

    """

    id: str
    time: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return asdict(self)

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Self:
        """Rebuild from ``to_dict``."""
        return cls(str(row["id"]), str(row["time"]))


@dataclass(frozen=True)
class Forecast:
    """Earlier values of the target as inputs.

    Attributes:
        time: column, or columns joined by ``+``, of the moment.
        lags: steps back from a row, each at least ``horizon``, rising.
        horizon: how many steps ahead the target is predicted: nothing later than this many steps before is used.
        by: column that tells several series apart; empty: there is one.
        step: length of a step in the unit of the time (days); below 0: in months; 0: a step is a row.
        word: a step in words: ``hour``, ``row``.

    """

    time: str
    lags: tuple[int, ...]
    horizon: int = 1
    by: str = ""
    step: float = 0.0
    word: str = "row"

    def names(self, target: str) -> tuple[str, ...]:
        """Return the names of the columns that hold the earlier values."""
        return tuple(lag_name(target, lag) for lag in self.lags)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {**asdict(self), "lags": list(self.lags)}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Self:
        """Rebuild from ``to_dict``."""
        lags = tuple(int(lag) for lag in row["lags"])
        return cls(str(row["time"]), lags, int(row["horizon"]), str(row["by"]), float(row["step"]), str(row["word"]))


def lag_name(target: str, lag: int) -> str:
    """Return the name of the column with the target's value ``lag`` steps before."""
    return f"{target} {lag} before"
