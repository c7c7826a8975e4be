"""A table of an SQLite file, or of a DuckDB file (``pip install 'temperance[duckdb]'``), read-only."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temperance.data import fingerprint
from temperance.data.base import Contents, Source
from temperance.data.sheet import frame_of
from temperance.data.workbook import choose_table, needed
from temperance.records.errors import DataError

_NAMES = {
    "sqlite": "select name from sqlite_master where type in ('table', 'view') and name not like 'sqlite_%' order by 1",
    "duckdb": "select table_name from information_schema.tables order by table_name",
}


@dataclass(frozen=True)
class Database(Source):
    """A table of a database file: the one that is named, else the only one with rows, else the first."""

    path: Path
    kind: str
    table: str = ""

    def open(self, scratch: Path) -> Contents:
        connection, errors = self._connect()
        try:
            names = [row[0] for row in connection.execute(_NAMES[self.kind]).fetchall()]
            filled = [n for n in names if connection.execute(f"select 1 from {_quoted(n)} limit 1").fetchone()]
            name, notes = choose_table(self.table, names, filled, self.path.name, "table")
            found = connection.execute(f"select * from {_quoted(name)}")
            columns, rows = [one[0] for one in found.description], found.fetchall()
        except errors as error:
            raise self._refuse(error) from error
        finally:
            connection.close()
        if not rows:
            raise DataError(f"The table {name!r} of {self.path.name} has no rows", "Rows", "Name another with --sheet")
        return Contents(frame_of(columns, rows), name, fingerprint.of_file(self.path), notes=notes)

    def _connect(self) -> tuple[Any, type[Exception]]:
        """Return a read-only connection and the kind of its errors."""
        if self.kind == "sqlite":
            return sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True), sqlite3.Error
        duckdb = needed("duckdb", "duckdb", self.path)
        try:
            # a view of the file could read any other file of this machine, or the network
            alone = {"enable_external_access": "false"}
            return duckdb.connect(str(self.path), read_only=True, config=alone), duckdb.Error
        except duckdb.Error as error:
            raise self._refuse(error) from error

    def _refuse(self, error: Exception) -> DataError:
        return DataError(
            f"{self.path.name} cannot be read as a database: {str(error)[:150]}",
            "A complete SQLite or DuckDB file that no other program holds", "Close other programs, or export the table",
        )  # fmt: skip


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
