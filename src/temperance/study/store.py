"""A table on disk for the workers: plain ``.npy`` files, memory-mapped and shared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.atomic import write_text
from temperance.records.plain_json import dumps
from temperance.records.schema import Rows, Schema
from temperance.records.table import Table

_PARTS = ("numeric", "categorical", "images", "target", "group", "time", "weight")


def save_table(table: Table, folder: Path) -> None:
    """Write the arrays (those that are memory-mapped in ``folder`` already are left) and ``table.json`` last."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {**table.rows._asdict(), "target": table.target}
    arrays |= {"group": table.group, "time": table.time, "weight": table.weight}
    held = []
    for name in _PARTS:
        if arrays[name] is not None:
            np.save(folder / f"{name}.npy", np.ascontiguousarray(arrays[name]))
            held.append(name)
    card = {"schema": table.schema.to_dict(), "name": table.name, "fingerprint": table.fingerprint, "parts": held}
    write_text(folder / "table.json", dumps(card))


def load_table(folder: Path) -> Table:
    """Open the arrays memory-mapped, read-only."""
    card = json.loads((folder / "table.json").read_text())
    found: dict[str, NDArray[Any]] = {
        name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in card["parts"]
    }
    rows = Rows(found["numeric"], found["categorical"], found.get("images"))
    return Table(
        Schema.from_dict(card["schema"]),
        rows,
        found["target"],
        found.get("group"),
        found.get("time"),
        card["name"],
        card["fingerprint"],
        found.get("weight"),
    )
