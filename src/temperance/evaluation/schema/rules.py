"""The rules of a table's columns: bounds, what may change, whole numbers, groups, relations, costs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from temperance.records.errors import SettingError, nearest
from temperance.records.schema import Schema

Change = Literal["free", "fixed", "up", "down"]
CHANGES: tuple[str, ...] = get_args(Change)


@dataclass(frozen=True)
class ColumnRule:
    """What one column allows.

    Attributes:
        low: smallest value, of a number; None: no bound.
        high: largest value.
        change: ``free``, ``fixed``, or only ``up`` or ``down``; categories are ``free`` or ``fixed``.
        integer: whole numbers only.
        scale: how much of the column's own unit is one unit of a budget (by default its robust standard deviation).
        cost: price of one unit of change, or of another category; None: 1 per ``scale``, 1 per category.
        values: categories that a change may lead to; empty: all that are known.

    """

    low: float | None = None
    high: float | None = None
    change: Change = "free"
    integer: bool = False
    scale: float = 1.0
    cost: float | None = None
    values: tuple[str, ...] = ()

    @property
    def price(self) -> float:
        """Cost of one unit of change of a number."""
        return 1.0 / self.scale if self.cost is None else self.cost

    @property
    def price_of_change(self) -> float:
        """Cost of another category."""
        return 1.0 if self.cost is None else self.cost


@dataclass(frozen=True)
class Sum:
    """The parts add up to the total."""

    parts: tuple[str, ...]
    total: str


@dataclass(frozen=True)
class Rules:
    """Rules of all columns of a table.

    Attributes:
        columns: rule by name of the model's input column.
        at_most: pairs (a, b): a ≤ b.
        sums: parts that add up to a total.
        implies: pairs (a, b): where a > 0, b > 0 too.
        one_of: groups of columns that hold 0 or 1, exactly one of them 1.

    A relation is not asked for where one of its values is missing.

    """

    columns: Mapping[str, ColumnRule] = field(default_factory=dict)
    at_most: tuple[tuple[str, str], ...] = ()
    sums: tuple[Sum, ...] = ()
    implies: tuple[tuple[str, str], ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()

    def check(self, schema: Schema) -> Rules:
        """Return the rules, with one for each column, after checking them against a schema.

        Raises:
            SettingError: a column that is not there, of another kind than a relation needs, or bounds that do not fit.

        """
        numeric = {c.name: c for c in schema.numeric}
        known = {**numeric, **{c.name: c for c in schema.categorical}}
        for name, rule in self.columns.items():
            if name not in known:
                raise SettingError(
                    f"rules for a column {name!r}", f"columns are {', '.join(known)}", nearest(name, known)
                )
            _check_rule(name, rule, numeric=name in numeric, vocabulary=known[name].vocabulary)
        for name in self.related():
            if name not in numeric:
                raise SettingError(
                    f"a relation of {name!r}", f"relations are between numbers: {', '.join(numeric) or 'none'}",
                    nearest(name, numeric),
                )  # fmt: skip
        grouped = [name for group in self.one_of for name in group]
        if len(set(grouped)) != len(grouped):
            raise SettingError("a column in two groups of one_of", "each column in one group at most", "Take it out")
        default = ColumnRule(change="fixed")
        return Rules(
            {name: self.columns.get(name, default) for name in known},
            self.at_most,
            self.sums,
            self.implies,
            self.one_of,
        )

    def related(self) -> Iterable[str]:
        """Return the names of all columns that a relation names."""
        for pair in (*self.at_most, *self.implies, *self.one_of):
            yield from pair
        for one in self.sums:
            yield from (*one.parts, one.total)


def _check_rule(name: str, rule: ColumnRule, *, numeric: bool, vocabulary: tuple[str, ...]) -> None:
    numbers = [n for n in (rule.low, rule.high, rule.scale, rule.cost) if n is not None]
    wrong = ""
    if rule.change not in CHANGES:
        wrong = f"change = {rule.change!r}"
    elif any(not math.isfinite(n) for n in numbers):
        wrong = "a bound, scale or cost that is not finite"
    elif rule.low is not None and rule.high is not None and rule.low > rule.high:
        wrong = f"low = {rule.low:g} above high = {rule.high:g}"
    elif rule.scale <= 0 or (rule.cost is not None and rule.cost < 0):
        wrong = f"scale = {rule.scale!r}, cost = {rule.cost!r}"
    elif not numeric and rule.change in ("up", "down"):
        wrong = f"change = {rule.change!r} for categories"
    elif set(rule.values) - set(vocabulary):
        wrong = f"values {sorted(set(rule.values) - set(vocabulary))}, which are not among its categories"
    if wrong:
        raise SettingError(
            f"column {name!r} has {wrong}",
            "low ≤ high, scale above 0, cost 0 or more, change: free, fixed, up or down (categories: free, fixed)",
            "Correct the file of rules",
        )


def from_dict(row: Mapping[str, Any]) -> Rules:
    """Return rules from the contents of a file.

    Raises:
        SettingError: a key that is not known, or a value of another kind.

    """
    _only(row, ("columns", "at_most", "sums", "implies", "one_of"), "the file of rules")
    columns = {}
    for name, entry in _table(row.get("columns", {}), "columns").items():
        _only(_table(entry, name), tuple(ColumnRule.__dataclass_fields__), f"column {name!r}")
        columns[name] = _column(name, entry)
    sums = []
    for entry in _items(row, "sums"):
        _only(_table(entry, "sums"), ("parts", "total"), "a sum")
        if "parts" not in entry or "total" not in entry:
            raise SettingError(
                f"a sum {dict(entry)!r}", 'sums = [{parts = ["a", "b"], total = "t"}]', "Add what is missing"
            )
        sums.append(Sum(_names(entry["parts"], 2), str(entry["total"])))
    pairs = {
        key: tuple((pair[0], pair[1]) for pair in (_names(one, 2, exactly=True) for one in _items(row, key)))
        for key in ("at_most", "implies")
    }
    groups = tuple(_names(one, 2) for one in _items(row, "one_of"))
    return Rules(columns, pairs["at_most"], tuple(sums), pairs["implies"], groups)


def _column(name: str, entry: Mapping[str, Any]) -> ColumnRule:
    given: dict[str, Any] = {}
    for key, value in entry.items():
        number, flag = isinstance(value, int | float) and not isinstance(value, bool), isinstance(value, bool)
        fine = {"integer": flag, "change": isinstance(value, str), "values": isinstance(value, list)}.get(key, number)
        if not fine:
            raise SettingError(f"{key} = {value!r} for column {name!r}", "a value of the right kind", "Correct it")
        given[key] = tuple(map(str, value)) if key == "values" else float(value) if number else value
    return ColumnRule(**given)


def _table(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SettingError(f"{name} = {value!r}", "a table of keys and values", "See the page on rules of columns")
    return value


def _items(row: Mapping[str, Any], key: str) -> list[Any]:
    found = row.get(key, [])
    if not isinstance(found, list):
        raise SettingError(f"{key} = {found!r}", "a list", "See the page on rules of columns")
    return found


def _names(value: Any, least: int, *, exactly: bool = False) -> tuple[str, ...]:
    fine = isinstance(value, list) and all(isinstance(one, str) for one in value) and len(set(value)) == len(value)
    if not fine or len(value) < least or (exactly and len(value) != least):
        raise SettingError(
            f"{value!r}", f"a list of {'' if exactly else 'at least '}{least} names of different columns", "Correct it"
        )
    return tuple(value)


def _only(row: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in row:
        if key not in keys:
            raise SettingError(f"{where} has a key {key!r}", f"known are {', '.join(keys)}", nearest(key, keys))
