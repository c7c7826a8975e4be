"""Marks of the rows that a model learned from: short salted hashes, so that it knows its own rows when it sees them.

A mark says whether two rows are the same; the row cannot be read from it. Whoever holds the marks can still try a row
that they know or guess and see whether it was learned from, as with the file itself: ``RowMarks`` is no protection of
membership, only a way to ship no rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from temperance.records.errors import DataError
from temperance.records.schema import Rows, Schema

Marks = NDArray[np.uint64]
MOST = 1_000_000  # rows marked, 8 bytes each; above, a random part of them
CHUNK = 65_536


class Seen(NamedTuple):
    """Which rows of a table the model knows, and as what.

    Attributes:
        learned: (b,) it was fitted, stopped, chosen or calibrated on this row.
        tested: (b,) it was measured on this row when it was made.

    """

    learned: NDArray[np.bool_]
    tested: NDArray[np.bool_]

    @property
    def unseen(self) -> NDArray[np.bool_]:
        """(b,) rows that it was neither made nor measured with."""
        return ~(self.learned | self.tested)


@dataclass(frozen=True, eq=False)
class RowMarks:
    """Marks of the rows behind one model.

    Attributes:
        columns: names of the input columns, in the order in which they are hashed; empty for images.
        learned: sorted marks of rows that the model was fitted, stopped, chosen or calibrated on.
        tested: sorted marks of its test rows.
        salt: drawn for each model, so that marks of two models cannot be matched with each other.
        share: part of the learned rows that is marked; below 1 counts are "at least".
        repeated: share of the marked rows that are copies of an earlier one: how many matches chance alone gives.

    """

    columns: tuple[str, ...]
    learned: Marks
    tested: Marks
    salt: bytes
    share: float = 1.0
    repeated: float = 0.0

    VERSION: ClassVar[int] = 1

    def seen(self, rows: Rows, schema: Schema, target: NDArray[Any]) -> Seen:
        """Say which rows the model knows: the same inputs with the same answer.

        Args:
            rows: raw rows (b of them).
            schema: how they were read; other columns and longer vocabularies than the model's do no harm.
            target: (b,) class codes or values.

        Raises:
            DataError: a column that the model was trained on is not there.

        """
        marks = mark(rows, target, schema, salt=self.salt, columns=self.columns)
        return Seen(_inside(marks, self.learned), _inside(marks, self.tested))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a bundle keeps; see ``from_arrays``."""
        return {
            "version": np.array(self.VERSION),
            "columns": np.array(self.columns, dtype=str),
            "learned": self.learned,
            "tested": self.tested,
            "salt": np.frombuffer(self.salt, dtype=np.uint8),
            "share": np.array(self.share),
            "repeated": np.array(self.repeated),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> RowMarks:
        """Rebuild from ``arrays``.

        Raises:
            DataError: an array is missing, of another kind, or of a newer version.

        """
        try:
            version = int(arrays["version"])
            columns = tuple(str(name) for name in np.atleast_1d(arrays["columns"]))
            parts = [np.sort(np.atleast_1d(arrays[name])) for name in ("learned", "tested")]
            salt, share = bytes(np.atleast_1d(arrays["salt"]).astype(np.uint8)), float(arrays["share"])
            repeated = float(arrays["repeated"])
        except (KeyError, TypeError, ValueError, IndexError) as fault:
            raise DataError(
                f"marks of training rows that are not complete: {fault!r}", "what a study writes", "Export again"
            ) from fault
        sound = all(part.dtype == np.uint64 and part.ndim == 1 for part in parts) and 8 <= len(salt) <= 64
        if version != cls.VERSION or not sound or not 0 < share <= 1 or not 0 <= repeated <= 1:
            raise DataError(
                f"marks of training rows of version {version}", f"version {cls.VERSION}, whole", "Export again"
            )
        return cls(columns, parts[0], parts[1], salt, share, repeated)


class Known(NamedTuple):
    """Rows with their answers: what ``row_marks`` marks."""

    rows: Rows
    target: NDArray[Any]


def row_marks(schema: Schema, *, learned: Known, tested: Known | None, salt: bytes, most: int = MOST) -> RowMarks:
    """Mark the rows behind a model.

    Args:
        schema: how they were read.
        learned: rows that it was fitted, stopped, chosen or calibrated on.
        tested: rows that it was measured on, or None.
        salt: 8 to 64 random bytes, of this model alone.
        most: above so many rows of either kind, so many drawn at random are marked, the same each time.

    """
    columns = tuple(c.name for c in schema.columns)
    size = learned.rows.size
    share = min(1.0, most / max(1, size))
    own = mark(*_some(learned, most), schema, salt=salt, columns=columns)
    judged = np.empty(0, dtype=np.uint64)
    if tested is not None:
        judged = mark(*_some(tested, most), schema, salt=salt, columns=columns)
    copies = 1.0 - len(np.unique(own)) / len(own) if len(own) else 0.0
    return RowMarks(columns, np.unique(own), np.unique(judged), salt, share, copies)


def _some(known: Known, most: int) -> Known:
    if known.rows.size <= most:
        return known
    index = np.sort(np.random.default_rng(0x3A9C).choice(known.rows.size, size=most, replace=False))
    return Known(known.rows.take(index), known.target[index])


def mark(rows: Rows, target: NDArray[Any], schema: Schema, *, salt: bytes, columns: Iterable[str]) -> Marks:
    """Return (b,) marks: BLAKE2b with the salt as its key, over a row's cells and its answer.

    A number counts as float32 (so a file written in either precision gives the same marks), −0 as 0, every missing
    number as the same; a category and a class by their word, not by their code, so that longer vocabularies do no harm.

    Shapes: target (b,) → (b,).

    Raises:
        DataError: a column is not in the schema.

    """
    named, whole = tuple(columns), np.asarray(target)
    cuts = [slice(start, start + CHUNK) for start in range(0, rows.size, CHUNK)]
    found = [_marked(rows.take(cut), whole[cut], schema, salt, named) for cut in cuts]
    return np.concatenate(found) if found else np.empty(0, dtype=np.uint64)


def _marked(rows: Rows, target: NDArray[Any], schema: Schema, salt: bytes, columns: tuple[str, ...]) -> Marks:
    parts = [_answer(target, schema, salt)]
    numeric = {c.name: j for j, c in enumerate(schema.numeric)}
    coded = {c.name: j for j, c in enumerate(schema.categorical)}
    texts = {c.name: j for j, c in enumerate(schema.text)}
    channels = {c.name: j for j, c in enumerate(schema.series)}
    for name in columns:
        if name in numeric:
            parts.append(_numbers(rows.numeric[:, numeric[name]]))
        elif name in coded:
            j = coded[name]
            words = [*schema.categorical[j].vocabulary, "\x00unseen", "\x00missing"]  # codes -2 and -1 end the list
            parts.append(_words(words, salt)[rows.categorical[:, j]])
        elif name in texts and rows.text is not None:
            parts.append(_words(["\x00missing" if t is None else t for t in rows.text[:, texts[name]]], salt))
        elif name in channels and rows.series is not None:
            one = np.ascontiguousarray(rows.series[:, channels[name]])
            parts.append(np.stack([_hash(row.tobytes(), salt) for row in one]))
        else:
            raise DataError(
                f"no column {name!r} among the rows", "every column that the model was trained on",
                "Read the rows with the model's own columns",
            )  # fmt: skip
    if rows.images is not None:
        parts.append(np.stack([_hash(one.tobytes(), salt) for one in rows.images]))
    cells = np.ascontiguousarray(np.concatenate(parts, axis=1))
    return np.array([int.from_bytes(_digest(row.tobytes(), salt), "little") for row in cells], dtype=np.uint64)


def _answer(target: NDArray[Any], schema: Schema, salt: bytes) -> NDArray[np.uint8]:
    if schema.target.task == "regression":
        return _numbers(np.asarray(target, dtype=np.float64))
    return _words(schema.target.classes, salt)[np.asarray(target, dtype=np.int64)]


def _numbers(values: NDArray[Any]) -> NDArray[np.uint8]:
    with np.errstate(over="ignore"):
        plain = np.asarray(values, dtype=np.float64).astype(np.float32)
    plain[plain == 0] = 0.0
    plain[np.isnan(plain)] = np.nan
    return plain.reshape(-1, 1).view(np.uint8)


def _words(words: Iterable[str], salt: bytes) -> NDArray[np.uint8]:
    known: dict[str, NDArray[np.uint8]] = {}
    found = [known.setdefault(w, _hash(w.encode("utf-8", "surrogatepass"), salt)) for w in words]
    return np.stack(found) if found else _none()


def _hash(data: bytes, salt: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(_digest(data, salt), dtype=np.uint8)


def _digest(data: bytes, salt: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=8, key=salt).digest()


def _none() -> NDArray[np.uint8]:
    return np.empty((0, 8), dtype=np.uint8)


def _inside(marks: Marks, known: Marks) -> NDArray[np.bool_]:
    if not len(known):
        return np.zeros(len(marks), dtype=bool)
    place = np.minimum(np.searchsorted(known, marks), len(known) - 1)
    found: NDArray[np.bool_] = known[place] == marks
    return found
