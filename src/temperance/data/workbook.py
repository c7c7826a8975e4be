"""Workbooks (xlsx, xlsm, xlsb, xls, ods), read by calamine: ``pip install 'temperance[excel]'``."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temperance.data import fingerprint
from temperance.data.base import Contents, Source
from temperance.data.sheet import table_of
from temperance.records.errors import DataError, MissingExtra, nearest

NAMED_WITHIN = 20  # rows of a sheet in which the target's name is looked for


@dataclass(frozen=True)
class Workbook(Source):
    """A sheet: the one that is named, else of those with cells the first that names the target, and others are said."""

    path: Path
    sheet: str = ""
    target: str = ""

    def open(self, scratch: Path) -> Contents:
        calamine = needed("python_calamine", "excel", self.path)
        try:
            book = calamine.load_workbook(str(self.path))
            sheets = {name: book.get_sheet_by_name(name) for name in book.sheet_names}
            seen = {one.name for one in book.sheets_metadata if "Visible" in str(one.visible)}
            filled = [name for name, one in sheets.items() if one.height and name in seen]
            filled = filled or [name for name, one in sheets.items() if one.height]
            filled.sort(key=lambda name: not _names(sheets[name], self.target))
        except (calamine.CalamineError, OSError) as error:
            raise DataError(
                f"{self.path.name} cannot be read as a workbook: {str(error)[:150]}",
                "A complete xlsx, xlsm, xlsb, xls or ods file without a password", "Save it again, or export CSV",
            ) from error  # fmt: skip
        name, notes = choose_table(self.sheet, list(sheets), filled, self.path.name, "sheet")
        frame, more, dropped = table_of(sheets[name].to_python(), f"The sheet {name!r} of {self.path.name}")
        digest = fingerprint.of_file(self.path)
        return Contents(frame, self.path.stem, digest, notes=(*notes, *more), dropped=dropped)


def _names(sheet: Any, target: str) -> bool:
    """Tell whether one of the first rows of a sheet names the target."""
    return bool(target) and any(target in map(str, row) for row in sheet.to_python(nrows=NAMED_WITHIN))


def choose_table(wanted: str, names: list[str], filled: list[str], file: str, kind: str) -> tuple[str, tuple[str, ...]]:
    """Return the sheet or table to read, and a note where there were others.

    Raises:
        DataError: there is none of that name, or none at all.

    """
    if wanted:
        if wanted in names:
            return wanted, ()
        raise DataError(
            f"{file} has no {kind} {wanted!r}", f"One of {', '.join(map(repr, names[:10]))}",
            nearest(wanted, names) or f"Name another {kind} with --sheet",
        )  # fmt: skip
    if not filled:
        raise DataError(f"{file} holds no {kind} with rows", f"A {kind} with a header and rows", "Check the file")
    if len(filled) == 1:
        return filled[0], ()
    others = ", ".join(repr(name) for name in filled[1:6])
    return filled[0], (f"The {kind} {filled[0]!r} was read; there are also {others}. --sheet reads another.",)


def needed(module: str, extra: str, path: Path) -> Any:
    """Import a reader that is installed on request.

    Raises:
        MissingExtra: it is not installed; the message says how.

    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtra(
            f"{path.name} needs the package {module.split('.')[0].replace('_', '-')}, which is not installed",
            "CSV, Parquet, JSON and others are read without it", f"pip install 'temperance[{extra}]'",
        ) from error  # fmt: skip
