"""How often a test set was opened, and for which models: a file counts, so that a second look is not a first."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temperance.records.atomic import write_text
from temperance.records.errors import DataError, SettingError
from temperance.records.plain_json import dumps

FORMAT = "temperance-test-uses"
LARGEST = 16 * 2**20


@dataclass(frozen=True)
class Uses:
    """Earlier openings of one set.

    Attributes:
        count: how often it was opened before.
        models: how many different models were measured on it before.
        same: how often this very model was.

    """

    count: int
    models: int
    same: int

    def sentence(self) -> str:
        """Say what that means."""
        if not self.count:
            return "This is the first time that these rows are used as a test."
        times = "once" if self.count == 1 else f"{self.count} times"
        said = (
            f"These rows were used as a test {times} before, for {self.models} model{'s' if self.models != 1 else ''}."
        )
        if self.models - (1 if self.same else 0) < 1:
            return said
        return (
            f"{said} Whoever picks the best of several models by them gets a figure that is too good: "
            "keep rows aside that decide nothing."
        )


def open_test(path: Path, *, data: str, model: str, command: str, once: bool = False, older: str = "") -> Uses:
    """Note that a set is opened now, and return what was there before.

    Args:
        path: the file of the counter; made where it is not there.
        data: fingerprint of the set.
        model: fingerprint or name of the model.
        command: what was run.
        once: refuse a set that was opened before for another model.
        older: fingerprint by which earlier versions knew the set; what stands there counts too.

    Raises:
        DataError: the file is damaged or cannot be written.
        SettingError: ``once``, and the set was opened before.

    """
    book = _read(path)
    own = list(book["sets"].get(data, []))
    rows = [*(book["sets"].get(older, []) if older != data else []), *own]
    same = sum(row["model"] == model for row in rows)
    found = Uses(len(rows), len({row["model"] for row in rows}), same)
    if once and len(rows) > same:
        often = "once" if len(rows) == 1 else f"{len(rows)} times"
        raise SettingError(
            f"a test set that was opened {often} before", "one that was opened for no other model",
            "Give rows that nothing was decided by, or leave --once out and read the count",
        )  # fmt: skip
    own.append({"model": model, "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "command": command})
    book["sets"][data] = own
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, dumps(book, indent=1) + "\n")
    return found


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {"format": FORMAT, "sets": {}}
    remedy = "Name the file that --uses wrote, or another one"
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"{path.stat().st_size} bytes")
        book: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        rows = [row for one in book["sets"].values() for row in one]
        sound = book["format"] == FORMAT and all({"model", "when"} <= set(row) for row in rows)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise DataError(f"{path} is no counter of test uses: {fault}", "what --uses wrote", remedy) from fault
    if not sound:
        raise DataError(f"{path} is no counter of test uses", "what --uses wrote", remedy)
    return book
