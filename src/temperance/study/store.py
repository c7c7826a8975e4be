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

_PARTS = ("numeric", "categorical", "images", "series", "text", "text_ends", "target", "group", "time", "weight")


def save_table(table: Table, folder: Path) -> None:
    """Write the arrays and ``table.json`` last; texts as UTF-8 bytes, one after the other, with their ends."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {**table.rows._asdict(), "target": table.target}
    arrays |= {"group": table.group, "time": table.time, "weight": table.weight}
    if table.rows.text is not None:
        arrays["text"], arrays["text_ends"] = pack_texts(table.rows.text)
    held = []
    for name in _PARTS:
        if arrays.get(name) is not None:
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
    text = unpack_texts(found["text"], found["text_ends"]) if "text" in found else None
    rows = Rows(found["numeric"], found["categorical"], found.get("images"), text, found.get("series"))
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


def pack_texts(texts: NDArray[np.object_]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return texts (b, t) as one array of bytes and where each ends (b, t); a text that is None ends at −1 − end."""
    parts = [None if text is None else text.encode("utf-8", "surrogatepass") for text in texts.ravel()]
    ends = np.cumsum([len(part or b"") for part in parts], dtype=np.int64)
    signed = np.where([part is None for part in parts], -1 - ends, ends)
    return np.frombuffer(b"".join(part or b"" for part in parts), dtype=np.uint8), signed.reshape(texts.shape)


def unpack_texts(data: NDArray[np.uint8], ends: NDArray[np.int64]) -> NDArray[np.object_]:
    """Undo ``pack_texts``: ends (b, t) → texts (b, t); equal texts are held once."""
    found: NDArray[np.object_] = np.empty(ends.size, dtype=object)
    seen: dict[str, str] = {}
    start = 0
    for i, end in enumerate(ends.ravel().tolist()):
        stop = -1 - end if end < 0 else end
        if end >= 0:
            text = data[start:stop].tobytes().decode("utf-8", "surrogatepass")
            found[i] = seen.setdefault(text, text)
        start = stop
    return found.reshape(ends.shape)
