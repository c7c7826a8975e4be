"""What the user decides about reading: columns, words for "missing", separator, sheet."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from temperance.core.toml import dumps
from temperance.records.cells import NumberStyle
from temperance.records.errors import SettingError, nearest
from temperance.records.moments import PATTERNS

READS = ("auto", "number", "category", "date", "text", "set", "keep", "drop")
FIELDS = ("decimal", "thousands", "unit", "pattern", "sep", "missing", "exact", "levels")
_OPTION = re.compile(rf"(?P<name>.+?)=(?P<read>{'|'.join(READS)})(?P<rest>,.*)?", re.DOTALL)
_SETTING = re.compile(r",(?P<key>\w+)=(?P<value>,|[^,]*)")


@dataclass(frozen=True)
class ColumnChoice:
    """How one column is read; what is left empty is found out from its values.

    Attributes:
        read: ``auto``, ``number``, ``category``, ``date``, ``text``, ``set`` (several values in a cell),
            ``keep`` (even what looks like an identifier), ``drop``.
        decimal: ``.`` or ``,``.
        thousands: ``.`` or ``,`` between groups of three digits.
        unit: currency or unit beside the numbers.
        pattern: of dates, such as ``%d/%m/%Y`` or ``iso``.
        sep: what stands between several values in a cell; ``[]`` for lists in brackets.
        missing: words that stand for "missing"; None: those of the whole table.
        exact: categories that differ in letter case only stay apart.
        levels: of a target: its classes in their order, the lowest first.

    """

    read: str = "auto"
    decimal: str = ""
    thousands: str = ""
    unit: str = ""
    pattern: str = ""
    sep: str = ""
    missing: tuple[str, ...] | None = None
    exact: bool = False
    levels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, value, accepted in (
            ("read", self.read, READS), ("decimal", self.decimal, ("", ".", ",")),
            ("thousands", self.thousands, ("", ".", ",")), ("pattern", self.pattern, ("", *PATTERNS)),
        ):  # fmt: skip
            if value not in accepted:
                known = [one for one in accepted if one]
                raise SettingError(f"{name}={value!r}", ", ".join(known), nearest(value, known) or "Choose one of them")
        if self.decimal and self.decimal == self.thousands:
            raise SettingError(f"decimal={self.decimal!r} and thousands={self.thousands!r}", "two signs", "Change one")

    @property
    def style(self) -> NumberStyle | None:
        """The style of numbers that was chosen, or None where the values decide."""
        if not (self.decimal or self.thousands):
            return None
        decimal = self.decimal or ("," if self.thousands == "." else ".")
        return NumberStyle(decimal, bool(self.thousands), self.unit)

    def to_dict(self) -> dict[str, Any]:
        """Return what was chosen."""
        row = {key: value for key, value in asdict(self).items() if value not in ("", None, False, ())}
        row |= {"levels": list(self.levels)} if self.levels else {}
        return row | ({"missing": list(self.missing)} if self.missing is not None else {})

    @classmethod
    def of(cls, given: Any, name: str = "") -> ColumnChoice:
        """Return the choice for ``number,decimal=,`` or for a mapping of the same.

        Raises:
            SettingError: an unknown reader or setting.

        """
        if isinstance(given, ColumnChoice):
            return given
        if isinstance(given, str):
            return parse_option(f"{name or 'column'}={given}")[1]
        unknown = [key for key in given if key not in ("read", *FIELDS)]
        if unknown:
            raise SettingError(
                f"{unknown[0]!r} for the column {name!r}", ", ".join(("read", *FIELDS)),
                nearest(unknown[0], FIELDS) or "Choose one of them",
            )  # fmt: skip
        row = dict(given)
        missing = row.get("missing")
        if missing is not None:
            row["missing"] = tuple([missing] if isinstance(missing, str) else map(str, missing))
        levels = row.get("levels", ())
        row["levels"] = tuple([levels] if isinstance(levels, str) else map(str, levels))
        return cls(**row)


@dataclass(frozen=True)
class Choices:
    """What the user decides about one source.

    Attributes:
        columns: by the name of the column in the file.
        missing: words that stand for "missing" in the whole table; None: the usual ones.
        separator: sign between fields of a text file; empty: found out.
        sheet: sheet of a workbook, table of a database, or member of an archive; empty: the only one, or the first.
        id: column of a long table whose rows of one value are one series; empty: a row is a row.
        lags: steps back in time whose values of the target are inputs; empty: none.
        horizon: how many steps ahead is predicted: lags are at least that.
        by: column that tells several series of the target apart.
        rows: rows that are read at most, as a uniform sample; 0: as many as the memory holds well.

    """

    columns: dict[str, ColumnChoice] = field(default_factory=dict)
    missing: tuple[str, ...] | None = None
    separator: str = ""
    sheet: str = ""
    id: str = ""
    lags: tuple[int, ...] = ()
    horizon: int = 1
    by: str = ""
    rows: int = 0

    def of(self, name: str) -> ColumnChoice:
        """Return the choice for a column; its words for "missing" are those of the table where it has none."""
        one = self.columns.get(name, ColumnChoice())
        words = self.missing if one.missing is None else one.missing
        return replace(one, missing=None if words is None else tuple(word.strip().lower() for word in words))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields, as the file of ``--schema`` has them."""
        row: dict[str, Any] = {"separator": self.separator, "sheet": self.sheet, "missing": self.missing}
        row |= {"id": self.id, "by": self.by}
        row |= {"lags": self.lags, "horizon": self.horizon} if self.lags else {}
        row |= {"rows": self.rows} if self.rows else {}
        row = {key: list(v) if isinstance(v, tuple) else v for key, v in row.items() if v not in ("", None)}
        return row | ({"columns": {name: one.to_dict() for name, one in self.columns.items()}} if self.columns else {})

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Choices:
        """Rebuild from ``to_dict``.

        Raises:
            SettingError: an unknown key.

        """
        known = ("columns", "missing", "separator", "sheet", "id", "by", "lags", "horizon", "rows")
        for key in row:
            if key not in known:
                raise SettingError(f"the key {key!r}", ", ".join(known), nearest(key, known) or "Leave it out")
        missing = row.get("missing")
        return cls(
            {name: ColumnChoice.of(one, name) for name, one in row.get("columns", {}).items()},
            None if missing is None else tuple(map(str, missing)),
            separator(row.get("separator", "")),
            str(row.get("sheet", "")),
            str(row.get("id", "")),
            lags_of(row.get("lags", ())),
            int(row.get("horizon", 1)),
            str(row.get("by", "")),
            rows_of(row.get("rows", 0)),
        )


#: Nothing was decided: the values say it.
AS_FOUND = Choices()


def choose(
    columns: Mapping[str, Any] | Iterable[str] = (), *, keep: Iterable[str] = (), drop: Iterable[str] = (),
    na_values: str | Iterable[str] | None = None, sheet: str | None = None, sep: str | None = None,
    schema: str | Path | None = None, id_column: str | None = None, lags: str | Iterable[int] | None = None,
    horizon: int | None = None, by: str | None = None, rows: int | None = None,
) -> Choices:  # fmt: skip
    """Gather the user's decisions; what is said directly goes before the file.

    Args:
        columns: ``{"price": "number,decimal=,"}``, or ``["price=number,decimal=,"]``.
        keep: columns that are used although they look like identifiers or constants.
        drop: columns that are left out.
        na_values: words that stand for "missing", and no others; a text is cut at its commas.
        sheet: sheet of a workbook, or table of a database.
        sep: sign between fields; ``tab`` and ``space`` are words for theirs.
        schema: a TOML file that ``temperance audit --write-schema`` wrote.
        id_column: names the series of a long table.
        lags: earlier values of the target that are inputs, in steps; a text is cut at its commas.
        horizon: steps ahead that are predicted.
        by: column that tells several series of the target apart.
        rows: rows that are read at most.

    Raises:
        SettingError: a decision that cannot be understood.

    """
    base = Choices() if schema is None else read_file(Path(schema))
    found = dict(base.columns)
    pairs = columns.items() if isinstance(columns, Mapping) else [parse_option(one) for one in columns]
    found |= {str(name): ColumnChoice.of(one, str(name)) for name, one in pairs}
    found |= {name: replace(found.get(name, ColumnChoice()), read="keep") for name in keep if name not in dict(pairs)}
    found |= {name: ColumnChoice("drop") for name in drop}
    words = na_values.split(",") if isinstance(na_values, str) else na_values
    return Choices(
        found,
        base.missing if words is None else tuple(map(str, words)),
        base.separator if sep is None else separator(sep),
        base.sheet if sheet is None else sheet,
        base.id if id_column is None else id_column,
        base.lags if lags is None else lags_of(lags),
        base.horizon if horizon is None else horizon,
        base.by if by is None else by,
        base.rows if rows is None else rows_of(rows),
    )


def rows_of(given: Any) -> int:
    """Return a count of rows; 0 stands for none named.

    Raises:
        SettingError: it is no whole number from 0 up.

    """
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise SettingError(f"rows={given!r}", "a whole number from 1 up", "Write for example rows = 1000000")
    return given


def lags_of(given: str | Iterable[Any]) -> tuple[int, ...]:
    """Return lags, rising, each once.

    Raises:
        SettingError: one is no whole number from 1 up.

    """
    words = [one.strip() for one in given.split(",")] if isinstance(given, str) else [str(one) for one in given]
    if not all(word.isdigit() and int(word) > 0 for word in words):
        raise SettingError(f"--lags {given}", "whole numbers from 1 up", "Write for example --lags 1,24,168")
    return tuple(sorted({int(word) for word in words}))


def of_python(columns: Any) -> Choices:
    """Return choices for ``columns=`` in Python: None, a mapping from column to choice, a schema file, or ``Choices``.

    Raises:
        SettingError: it is none of these, or cannot be understood.

    """
    if columns is None or isinstance(columns, Choices):
        return columns or Choices()
    if isinstance(columns, (str, Path)):
        return choose(schema=columns)
    if isinstance(columns, Mapping):
        return choose(columns)
    raise SettingError(
        f"columns of type {type(columns).__name__}", "a mapping from column to choice, or the path of a schema file",
        'Write columns={"price": "number,decimal=,"}',
    )  # fmt: skip


def parse_option(text: str) -> tuple[str, ColumnChoice]:
    """Read ``price=number,decimal=,,thousands=.``: a column and how it is read.

    Raises:
        SettingError: it is not of this form.

    """
    found = _OPTION.fullmatch(text)
    if found is None:
        raise SettingError(
            f"--column {text!r}", f"COLUMN=READER[,setting=value …]; a reader is one of {', '.join(READS)}",
            "Write for example --column 'price=number,decimal=,'",
        )  # fmt: skip
    rest, settings = found["rest"] or "", {}
    place = 0
    while place < len(rest):
        one = _SETTING.match(rest, place)
        if one is None:
            raise SettingError(f"--column {text!r}", f"settings such as {', '.join(FIELDS)}", "Write setting=value")
        key = {"na": "missing", "order": "pattern", "case": "exact"}.get(one["key"], one["key"])
        settings[key], place = one["value"], one.end()
    row: dict[str, Any] = {"read": found["read"], **settings}
    if "exact" in row:
        row["exact"] = row["exact"] in ("exact", "true", "1", "yes")
    if "missing" in row:
        row["missing"] = tuple(row["missing"].split("|"))
    if "levels" in row:
        row["levels"] = tuple(row["levels"].split("|"))
    return found["name"], ColumnChoice.of(row, found["name"])


def separator(given: str) -> str:
    """Return the separator for what the user wrote.

    Raises:
        SettingError: a line break or a quote.

    """
    sign = {"tab": "\t", "\\t": "\t", "space": " ", "spaces": " ", "pipe": "|"}.get(given, given)
    if any(bad in sign for bad in '\n\r"'):
        raise SettingError(f"sep={given!r}", "a sign such as ; or ::, or tab, or space", "Choose another separator")
    return sign


def read_file(path: Path) -> Choices:
    """Read a schema file.

    Raises:
        SettingError: it is absent or no TOML of this form.

    """
    try:
        return Choices.from_dict(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise SettingError(f"there is no file {str(path)!r}", "a schema file", "Check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, AttributeError) as error:
        raise SettingError(
            f"{path.name} is no schema: {error}", "what `temperance audit --write-schema` writes", "Mend that line"
        ) from error


def to_toml(choices: Choices, remarks: Mapping[str, str]) -> str:
    """Return choices as a file for ``--schema``, with a remark above each column."""
    row = choices.to_dict()
    columns = row.pop("columns", {})
    parts = ["# How the columns are read. Change what is wrong and pass the file back with --schema.\n", dumps(row)]
    for name, one in columns.items():
        remark = " ".join(remarks.get(name, "").split())
        key = json.dumps(name, ensure_ascii=False)
        parts.append(f"{f'{chr(10)}# {remark}' if remark else ''}\n[columns.{key}]\n{dumps(one)}")
    return "".join(parts)
