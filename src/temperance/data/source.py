"""Choose the source for what the user gave: by type, by name, by the ending of the file."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from temperance.data.arff_file import ArffFile
from temperance.data.arrays import Arrays
from temperance.data.arrow_file import ArrowFile
from temperance.data.base import Source
from temperance.data.bundled import BundledSet, bundled_name
from temperance.data.choices import AS_FOUND, Choices
from temperance.data.csv_file import CsvFile
from temperance.data.database import Database
from temperance.data.image_folder import ImageFolder, images_below
from temperance.data.kinds import kind_of
from temperance.data.npz_file import NpzFile
from temperance.data.packed import PackedFile
from temperance.data.parquet_file import ParquetFiles
from temperance.data.records_file import RecordsFile
from temperance.data.sampling import ALL, Cap
from temperance.data.text_folder import TextFolder, texts_below
from temperance.data.workbook import Workbook
from temperance.records.errors import DataError
from temperance.records.schema import Schema

FORMATS = (
    "CSV, TSV, Parquet, JSON, JSON lines, Excel, Feather, Arrow, ORC, ARFF, SQLite, DuckDB, NumPy (.npz), packed or not"
)
LEDGER = "ledger.jsonl"  # what makes a folder that of a study


def source_of(
    data: Any, *, target: str | None = None, schema: Schema | None = None, choices: Choices = AS_FOUND, cap: Cap = ALL
) -> Source:
    """Return the source that opens ``data``.

    Args:
        data: a path, the name of a bundled set, a frame, an array, a mapping, or a pair (X, y).
        target: name of the target, where known.
        schema: the schema that the data is read against, where there is one.
        choices: separator and sheet, where the user named them.
        cap: rows that are read at most; formats that are read in one pass only draw them themselves.

    Raises:
        DataError: there is no such file, or its format is not known.

    """
    if isinstance(data, Source):
        return data
    if isinstance(data, (str, Path)):
        return _of_path(data, target, schema, choices, cap)
    if isinstance(data, tuple) and len(data) == 2:
        return Arrays(data[0], data[1], channels=_channels(schema))
    return Arrays(data, channels=_channels(schema))


def _channels(schema: Schema | None) -> int | None:
    """Return how many channels an array has to have; None: it is no array of series."""
    return len(schema.series) if schema is not None and schema.series and schema.long is None else None


def _of_path(data: str | Path, target: str | None, schema: Schema | None, choices: Choices, cap: Cap) -> Source:
    path = Path(data)
    path = path if path.exists() else _at_home(path)
    name = bundled_name(str(data))
    if name is not None and (not path.exists() or _is_result(path)):
        return BundledSet(name)
    if not path.exists():
        raise _absent(path)
    if path.is_dir():
        if any(path.rglob("*.parquet")):
            return ParquetFiles(path)
        if (schema is None or schema.kind == "table") and texts_below(path) and not images_below(path):
            return TextFolder(path, choices.separator)
        return ImageFolder(path, shape=schema.image_shape if schema else None)
    return _of_file(path, target, schema, choices, cap)


def _is_result(path: Path) -> bool:
    """Return whether a path is the folder of a study, which may be named like the bundled set that it is about."""
    return (path / LEDGER).exists()


def _at_home(path: Path) -> Path:
    """Return the path with ``~`` replaced; as it is where it names nobody's folder."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def _of_file(path: Path, target: str | None, schema: Schema | None, choices: Choices, cap: Cap) -> Source:
    kind = kind_of(path)
    if kind == "text":
        return CsvFile(path, separator=choices.separator, cap=cap)
    if kind == "npz":
        return NpzFile(path, target=target, part="test" if schema else "train", channels=_channels(schema))
    if kind == "packed":
        return PackedFile(path, lambda inner: _of_file(inner, target, schema, choices, cap), choices.sheet)
    if kind in ("sqlite", "duckdb"):
        return Database(path, kind, choices.sheet)
    if kind == "workbook":
        return Workbook(path, choices.sheet, target or (schema.target.name if schema else ""))
    if kind in ("arrow", "orc"):
        return ArrowFile(path, orc=kind == "orc")
    plain: dict[str, Callable[[Path], Source]] = {"parquet": ParquetFiles, "json": RecordsFile, "arff": ArffFile}
    if kind in plain:
        return plain[kind](path)
    raise DataError(
        f"{path.name} has the ending {path.suffix.lower() or '(none)'!r} and none of the known formats",
        f"{FORMATS}, a folder of Parquet files, or a folder per class with images",
        "Export the data to one of these",
    )


def _absent(path: Path) -> DataError:
    folder = path.parent
    names = sorted(p.name for p in folder.iterdir())[:2000] if folder.is_dir() else []
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
    return DataError(
        f"There is no file {str(path)!r}",
        "A path to a file or folder, or a bundled set such as 'breast_cancer'",
        f"Did you mean {str(folder / close[0])!r}?" if close else "Check the path",
    )
