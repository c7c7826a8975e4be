"""What is predicted: infer the task, turn labels into codes, refuse what cannot be learned."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.data import values
from temperance.records.errors import DataError, SettingError
from temperance.records.schema import Target

MOST_CLASSES = 20  # whole numbers with up to this many different values are taken for classes
MOST_LABELS = 200  # … and up to this many where they run from 0 or 1 without gaps, each about equally often
WORDS_ALLOWED = 0.05  # share of words among numbers up to which a target is still a number


class Aim(NamedTuple):
    """A target that was read.

    Attributes:
        target: name, task and classes.
        values: (b,) int64 codes (−1 = missing) or float64 values (NaN = missing).
        notes: plain sentences.

    """

    target: Target
    values: NDArray[Any]
    notes: tuple[str, ...] = ()


def read_target(series: pl.Series, *, task: str = "auto") -> Aim:
    """Infer the task from a target column and read it.

    Args:
        series: the column.
        task: ``auto``, ``classification`` or ``regression``; anything with a colon (a user's own task) means auto.

    Raises:
        DataError: no values, one class only, too many classes for the rows, words where numbers are wanted.
        SettingError: an unknown task.

    """
    known = {"binary": "classification", "multiclass": "classification"}
    task = "auto" if ":" in task else known.get(task, task)
    if task not in ("auto", "classification", "regression"):
        raise SettingError(
            f"task={task!r}", "auto, classification, regression or module:function", "Choose one of them"
        )
    if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Object):
        raise DataError(f"The target {series.name!r} holds {series.dtype}", "Numbers or class names", "Choose another")
    read = values.numbers(series) if series.dtype != pl.Boolean else None
    finite = np.isfinite(read.values) if read else np.zeros(len(series), dtype=bool)
    if read is None or not _numeric(read, finite):
        if task == "regression":
            raise _words(series, read)
        return _classes(series, "its values are words" if series.dtype != pl.Boolean else "it is true or false")
    if task == "regression":
        return _values(series.name, read)
    found = read.values[finite]
    unique = len(np.unique(found[:100_000])) if len(found) else 0
    unique = len(np.unique(found)) if unique <= 2 * MOST_CLASSES else unique
    whole = bool((found == np.floor(found)).all())
    few = unique <= 2 or (whole and unique <= MOST_CLASSES and unique <= max(2, len(found) // 5))
    few = few or (whole and _like_labels(found))
    if task == "classification" or few:
        return _classes(series, "it holds a few different values only", numbers=unique > 2)
    return _values(series.name, read)


def known_target(series: pl.Series, target: Target) -> Aim:
    """Read a target column against a known target (a test file, rows with labels that came later).

    Raises:
        DataError: a class that the model does not know.

    """
    if target.task == "regression":
        read = values.numbers(series)
        return Aim(target, read.values)
    labels = values.labels(series)
    codes = {name: code for code, name in enumerate(target.classes)}
    found = labels.drop_nulls().unique().sort().to_list()
    strange = [label for label in found if label not in codes]
    notes: tuple[str, ...] = ()
    if strange:
        near = {_near(name): code for name, code in codes.items()}
        if len(near) < len(codes) or any(_near(label) not in near for label in strange):
            raise DataError(
                f"The target {target.name!r} holds the classes {_shown(strange)}, which were not in the training data",
                f"The classes are {_shown(list(target.classes))}",
                "Remove these rows, or add examples of these classes to the training data",
            )
        codes = codes | {label: near[_near(label)] for label in strange}
        notes = (f"Classes of {target.name!r} are written differently here ({_shown(strange)}) and were matched.",)
    return Aim(target, _codes(labels, codes), notes)


def _values(name: str, read: values.Numbers) -> Aim:
    found = read.values[np.isfinite(read.values)]
    if not len(found):
        raise DataError(f"The target {name!r} holds no values", "A number per row", "Choose another column")
    if found.min() == found.max():
        raise DataError(
            f"The target {name!r} is always {found[0]:g}", "Values that differ between rows", "Choose another column"
        )
    notes = [f"The task is regression: the target {name!r} is a number."]
    if len(read.words):
        notes.append(f"The target {name!r} holds {len(read.words):,} words; these rows count as missing.")
    if read.infinite:
        notes.append(f"The target {name!r} holds {read.infinite:,} infinite values; these rows count as missing.")
    return Aim(Target(name, "regression"), read.values, tuple(notes))


def _classes(series: pl.Series, why: str, *, numbers: bool = False) -> Aim:
    name = series.name
    labels = values.labels(series)
    counts = labels.rename("label").drop_nulls().value_counts(name="count")
    rows = int(counts["count"].sum())
    if counts.height == 0:
        raise DataError(f"The target {name!r} holds no values", "A class per row", "Choose another column")
    if counts.height == 1:
        raise DataError(
            f"The target {name!r} holds one class only ({counts['label'][0]!r})",
            "At least two classes; 1 class cannot be learned",
            "Add rows of the other class, or choose another target",
        )
    if counts.height > 2 and counts.height > rows / 2:
        raise DataError(
            f"The target {name!r} has {counts.height:,} classes in {rows:,} rows",
            "On average at least two rows per class",
            "Choose another target; for a number pass --task regression",
        )
    names = sorted(counts["label"].to_list(), key=_order)
    task = "binary" if len(names) == 2 else "multiclass"
    notes = [f"The task is classification into {len(names)} classes: for the target {name!r}, {why}."]
    if numbers:
        notes.append("To predict it as a number instead, pass --task regression.")
    rare = counts.filter(pl.col("count") < 5)
    if rare.height:
        few = _shown(sorted(rare["label"].to_list(), key=_order))
        notes.append(f"Fewer than 5 rows have the class {few}.")
    codes = {label: code for code, label in enumerate(names)}
    return Aim(Target(name, task, tuple(names)), _codes(labels, codes), tuple(notes))  # type: ignore[arg-type]


def _codes(labels: pl.Series, codes: dict[str, int]) -> NDArray[np.int64]:
    found = labels.replace_strict(codes, default=None, return_dtype=pl.Int64)
    return np.array(found.fill_null(-1).to_numpy(), dtype=np.int64)


def _numeric(read: values.Numbers, finite: NDArray[np.bool_]) -> bool:
    counted = int(finite.sum()) + read.infinite
    return counted > 0 and len(read.words) <= WORDS_ALLOWED * (counted + len(read.words))


def _like_labels(found: NDArray[np.float64]) -> bool:
    """Tell whether whole numbers count classes: 0 or 1 up to at most ``MOST_LABELS``, each about equally often."""
    low, high = float(found.min()), float(found.max())
    if low not in (0.0, 1.0) or high > MOST_LABELS:
        return False
    counts = np.bincount((found - low).astype(np.int64))
    return bool(counts.min() >= 20 and counts.max() <= 3 * counts.min())


def _words(series: pl.Series, read: values.Numbers | None) -> DataError:
    shown = _shown(sorted(read.words.unique().head(1000).to_list())) if read else "true and false"
    return DataError(
        f"The target {series.name!r} holds words ({shown})", "Numbers, for regression", "Use --task classification"
    )


def _order(label: str) -> tuple[int, float, str]:
    try:
        return 0, float(label), label
    except ValueError:
        return 1, 0.0, label


def _near(label: str) -> str:
    return label.strip().rstrip(".").casefold()


def _shown(names: list[str]) -> str:
    return ", ".join(repr(name[:40]) for name in names[:5]) + (" …" if len(names) > 5 else "")
