"""Give each row its role: train, controller, selection, calibration or test; or folds where rows are few."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.data.allocate import Units, carve, carve_groups, deal
from temperance.records.digests import digest_columns
from temperance.records.errors import DataError, StudyError
from temperance.records.roles import Index, Roles
from temperance.records.table import Table

TEST_SHARE = 0.2
FOLD_ROWS = 15_000  # from this many development rows there are roles, below there are folds
ROLE_ROWS = 2000  # the same for what trains once per fold: nets of a user's own, folds in time order
ROLE_IMAGES = 1000  # and for images
FOLDS, FEW_FOLDS, FEW_ROWS = 5, 3, 300
SELECTION_SHARE, MOST_SELECTION = 0.1, 5000  # more rows tell models no better apart
CALIBRATION_SHARE, MOST_CALIBRATION = 0.05, 2500
FIRST_SHARE = 0.4  # of the development rows that the first fold in time trains on
LEAST_ROWS = 10
ROLES = ("train", "controller", "selection", "calibration")
COPIES_SHARE = 0.2  # with more exact copies than this, repeated rows are normal in the table


def split(table: Table, *, seed: int, test: Table | None = None, banked: bool = True) -> Roles:
    """Give each row its role.

    Without ``test``, 20 % of the rows are test. Below 15,000 development rows all of them are train, and selection and
    calibration use out-of-fold predictions (5 folds; 3 below 300 rows and for images). From there on (from 2,000 where
    each fold is a training of its own: ``banked=False``, or ``table.time``; from 1,000 images) a tenth, at most 5,000
    rows, is for selection, a twentieth, at most 2,500, for calibration, the rest is train. Classes are spread evenly,
    and each class has a training row. ``table.group``: no group crosses. ``table.time``: the latest rows are test, the
    roles follow in time, and each fold trains on the past only (so its earliest rows are in no held-out part). Exact
    copies of a row (inputs and target) share a role where at most 20 % of the rows are copies.

    Args:
        table: the rows.
        seed: same seed, same roles.
        test: the table of ``--test``; its rows are the test rows.
        banked: all folds train at once (our tabular net).

    Raises:
        DataError: too few rows or groups.

    """
    if len(table) < LEAST_ROWS:
        raise DataError(
            f"{table.name} has {len(table)} rows (n_samples = {len(table)})",
            f"At least {LEAST_ROWS} rows with a target",
            "Collect more rows",
        )
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0x5B117]))
    units, said = _units(table)
    picker: _Picker = _InTime(table, units) if table.time is not None else _Shuffled(table, units, rng)
    everything = np.arange(len(table), dtype=np.int64)
    if test is None:
        dev, held = picker.carve(everything, TEST_SHARE)
        words = [picker.test_words]
    else:
        dev, held = everything, np.arange(len(test), dtype=np.int64)
        words = ["The rows of the separate test table are test; the others are for development."]
    least = FOLD_ROWS if banked and table.time is None else ROLE_ROWS
    least = ROLE_IMAGES if table.schema.kind == "images" else least
    if len(dev) >= least and units.count(dev) >= 8:
        parts = _parts(picker, dev)
        counts = ", ".join(f"{len(part):,} {name}" for part, name in zip(parts, ROLES, strict=True) if len(part))
        words.append(f"{picker.role_words}: {counts}.")
        folds: tuple[tuple[Index, Index], ...] = ()
    else:
        count = FEW_FOLDS if len(dev) < FEW_ROWS or table.schema.kind == "images" else FOLDS
        folds = picker.folds(dev, count)
        none = np.empty(0, dtype=np.int64)
        parts = (dev, none, none, none)
        words.append(f"The other {len(dev):,} rows are in {len(folds)} parts; each judged models without it.")
    words += said + _absent_classes(table, parts[0])
    return Roles(*parts, held, folds, " ".join(words), test is not None)


def _parts(picker: _Picker, dev: Index) -> tuple[Index, Index, Index, Index]:
    """Cut development rows into train, controller, selection, calibration (in time: in this order).

    There are no controller rows: rules that read them were no better than none (docs/decisions/0010), and the rows are.
    """
    rest, calibration = picker.carve(dev, min(CALIBRATION_SHARE, MOST_CALIBRATION / len(dev)))
    rest, selection = picker.carve(rest, min(SELECTION_SHARE, MOST_SELECTION / len(dev)) * len(dev) / len(rest))
    return rest, np.empty(0, dtype=np.int64), selection, calibration


def _units(table: Table) -> tuple[Units, list[str]]:
    """Return what must stay together (groups, or exact copies), and a sentence on it."""
    if table.group is not None:
        units = Units(np.unique(table.group, return_inverse=True)[1])
        if units.total < 4:
            raise DataError(
                f"The group column has {units.total} groups",
                "At least 4 groups",
                "Leave out --group, or choose another",
            )
        return units, [f"No group crosses roles or folds ({units.total:,} groups)."]
    codes = np.unique(_row_hash(table), return_inverse=True)[1]
    units = Units(codes)
    copies = len(table) - units.total
    if copies == 0 or table.time is not None:
        return Units(np.arange(len(table))), []
    if copies > COPIES_SHARE * len(table):
        note = f"{copies:,} rows are exact copies of another; that many are normal in such a table: not kept together."
        return Units(np.arange(len(table))), [note]
    return units, [f"Exact copies of a row ({copies:,}) share a role."]


class _Picker:
    """How rows are taken out for a role."""

    test_words = ""
    role_words = ""

    def carve(self, index: Index, share: float) -> tuple[Index, Index]:
        """Return (rest, taken), both sorted."""
        raise TypeError("a picker of roles is shuffled or in time")

    def folds(self, index: Index, count: int) -> tuple[tuple[Index, Index], ...]:
        """Return pairs (train, held out)."""
        raise TypeError("a picker of roles is shuffled or in time")


class _Shuffled(_Picker):
    """Random, with the classes (or tenths of a numeric target) spread evenly."""

    test_words = "20 % of the rows, drawn at random with the target spread evenly, are test."
    role_words = "The rows for development, drawn at random with the target spread evenly"

    def __init__(self, table: Table, units: Units, rng: np.random.Generator) -> None:
        self._units, self._rng = units, rng
        self._strata = _strata(table)
        self._grouped = table.group is not None

    def carve(self, index: Index, share: float) -> tuple[Index, Index]:
        cut = carve_groups if self._grouped else carve
        taken = cut(index, self._units, self._strata, share, self._rng)
        left = np.zeros(len(self._strata), dtype=bool)
        left[index] = True
        left[taken] = False
        return np.flatnonzero(left).astype(np.int64), taken

    def folds(self, index: Index, count: int) -> tuple[tuple[Index, Index], ...]:
        fold = deal(index, self._units, self._strata, min(count, self._units.count(index)), self._rng)
        return tuple((index[fold != f], index[fold == f]) for f in range(int(fold.max()) + 1))


class _InTime(_Picker):
    """The latest rows first; ties in time and groups stay whole (a group counts at its last moment)."""

    test_words = "The latest 20 % of the rows are test."
    role_words = "The rows for development, in the order of time"

    def __init__(self, table: Table, units: Units) -> None:
        moments = np.asarray(table.time, dtype=np.float64)
        if table.group is None:
            self._block = np.unique(moments, return_inverse=True)[1]
        else:
            last = np.full(units.total, -np.inf)
            np.maximum.at(last, units.of_row, moments)
            self._block = np.argsort(np.lexsort((np.arange(units.total), last)))[units.of_row]
        self._order = np.lexsort((moments, self._block))

    def carve(self, index: Index, share: float) -> tuple[Index, Index]:
        ordered = self._sorted(index)
        border = self._border(ordered, len(ordered) - round(share * len(ordered)))
        return np.sort(ordered[:border]), np.sort(ordered[border:])

    def folds(self, index: Index, count: int) -> tuple[tuple[Index, Index], ...]:
        ordered = self._sorted(index)
        places = np.linspace(FIRST_SHARE, 1.0, count + 1) * len(ordered)
        borders = sorted({self._border(ordered, round(place)) for place in places[:-1]} | {len(ordered)})
        pairs = pairwise(borders)
        return tuple((np.sort(ordered[:start]), np.sort(ordered[start:stop])) for start, stop in pairs)

    def _sorted(self, index: Index) -> Index:
        inside = np.zeros(len(self._order), dtype=bool)
        inside[index] = True
        return np.asarray(self._order[inside[self._order]], dtype=np.int64)

    def _border(self, ordered: Index, place: int) -> int:
        """Move a border to the nearest place between two blocks, never to either end."""
        blocks = self._block[ordered]
        changes = np.flatnonzero(np.diff(blocks)) + 1
        if not len(changes):
            raise DataError(
                "All rows have the same time (or are one group)", "At least two different times", "Leave out --time"
            )
        return int(changes[np.argmin(np.abs(changes - place))])


def _strata(table: Table) -> NDArray[np.int64]:
    """Return (b,) class codes, or tenths of a numeric target."""
    if table.schema.target.task != "regression":
        return np.asarray(table.target, dtype=np.int64)
    edges = np.unique(np.quantile(table.target, np.linspace(0.1, 0.9, 9)))
    return np.searchsorted(edges, table.target, side="right").astype(np.int64)


def _row_hash(table: Table) -> NDArray[np.uint64]:
    """Return a 64-bit hash per row over inputs and target, column by column."""
    keys = np.random.default_rng(0x7E39).integers(1, 2**63, size=2, dtype=np.uint64) | np.uint64(1)
    hashed = np.zeros(len(table), dtype=np.uint64)
    rows = table.rows
    columns: list[NDArray[Any]] = [table.target]
    columns += [rows.numeric[:, j] for j in range(rows.numeric.shape[1])]
    columns += [rows.categorical[:, j] for j in range(rows.categorical.shape[1])]
    if rows.images is not None:
        flat = rows.images.reshape(len(table), -1)
        columns += [flat[:, j] for j in range(flat.shape[1])]
    values = [(np.asarray(column, dtype=np.float64) + 0.0).view(np.uint64) for column in columns]  # −0 and 0 are one
    for bits in (*values, *digest_columns(rows)):
        hashed = (hashed ^ bits) * keys[0]
        hashed = (hashed ^ (hashed >> np.uint64(29))) * keys[1]
    return hashed


def _absent_classes(table: Table, train: Index) -> list[str]:
    classes = table.schema.target.classes
    if not classes:
        return []
    present = np.unique(table.target[train])
    absent = [name for code, name in enumerate(classes) if code not in present]
    return [f"Without a training row: {', '.join(absent[:5])}."] if absent else []


def save_roles(roles: Roles, path: Path) -> None:
    """Write the indices to an ``.npz`` file (no pickled objects), in one step."""
    arrays: dict[str, Any] = {
        name: getattr(roles, name) for name in ("train", "controller", "selection", "calibration", "test")
    }
    for i, (train, held) in enumerate(roles.folds):
        arrays[f"fold_{i}_train"], arrays[f"fold_{i}_held"] = train, held
    arrays["scheme"] = np.array(roles.scheme)
    arrays["test_is_separate"] = np.array(roles.test_is_separate)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with draft.open("wb") as stream:
        np.savez_compressed(stream, **arrays)
    os.replace(draft, path)


def load_roles(path: Path) -> Roles:
    """Read what ``save_roles`` wrote.

    Raises:
        StudyError: the file is absent or damaged.

    """
    names: Sequence[str] = ("train", "controller", "selection", "calibration", "test")
    try:
        with np.load(path, allow_pickle=False) as archive:
            parts = {name: archive[name].astype(np.int64) for name in names}
            count = sum(name.endswith("_held") for name in archive.files)
            folds = tuple((archive[f"fold_{i}_train"], archive[f"fold_{i}_held"]) for i in range(count))
            scheme, separate = str(archive["scheme"]), bool(archive["test_is_separate"])
            return Roles(**parts, folds=folds, scheme=scheme, test_is_separate=separate)
    except Exception as error:  # zip, zlib, key and value errors alike: the file is no roles file
        raise StudyError(
            f"{path.name} cannot be read ({type(error).__name__})", "A file written by save_roles", "Start a new study"
        ) from error
