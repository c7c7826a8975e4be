"""What is predicted: infer the task, turn labels into codes, refuse what cannot be learned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.data import values
from temperance.data.choices import ColumnChoice
from temperance.data.evidence import FileStyle
from temperance.data.infer import NAMES_TOO, missing_or_name, one_spelling, spellings
from temperance.data.judge import ALONE, AUTO, MANY_NUMBERS, Reader, judge
from temperance.data.levels import are_counts, as_counts, in_order
from temperance.data.sets import held
from temperance.records.cells import fold
from temperance.records.errors import DataError, SettingError
from temperance.records.members import HAS
from temperance.records.moments import EPOCH_MILLISECONDS, EPOCH_SECONDS
from temperance.records.schema import Target

TASKS = ("auto", "classification", "counts", "ordinal", "regression")
MOST_CLASSES = 20  # whole numbers with up to this many different values are taken for classes
MOST_LABELS = 200  # … and up to this many where they run from 0 or 1 without gaps, each about equally often
WORDS_ALLOWED = 0.05  # share of words among numbers up to which a target is still a number
_NUMBERS = ("%Y%m%d", EPOCH_SECONDS, EPOCH_MILLISECONDS)


class Aim(NamedTuple):
    """A target that was read.

    Attributes:
        target: name, task and classes.
        values: (b,) int64 codes (−1 = missing) or float64 values (NaN = missing).
        notes: plain sentences.
        reader: how it was read, or None for a target that was known.

    """

    target: Target
    values: NDArray[Any]
    notes: tuple[str, ...] = ()
    reader: Reader | None = None

    @property
    def known(self) -> NDArray[np.bool_]:
        """Rows that have a target (b,)."""
        found: NDArray[np.bool_] = np.isfinite(self.values) if self.target.task == "regression" else self.values >= 0
        return found


def read_target(series: pl.Series, *, task: str = "auto", choice: ColumnChoice = AUTO, file: FileStyle = ALONE) -> Aim:
    """Infer the task from a target column and read it.

    Args:
        series: the column.
        task: ``auto``, ``classification``, ``ordinal`` or ``regression``; anything with a colon (a user's own
            task) means auto.
        choice: what the user decided about the column.
        file: decides how numbers are written where the column itself does not.

    Raises:
        DataError: no values, one class only, too many classes for the rows, words where numbers are wanted, dates.
        SettingError: an unknown task.

    """
    known = {"binary": "classification", "multiclass": "classification"}
    task = "auto" if ":" in task else known.get(task, task)
    if task not in TASKS:
        raise SettingError(f"task={task!r}", f"{', '.join(TASKS)} or module:function", "Choose one of them")
    if task == "ordinal" or choice.levels:
        plain = read_target(series, task="classification", choice=replace(choice, levels=()), file=file)
        target, codes, note = in_order(plain.target, plain.values, choice)
        return plain._replace(target=target, values=codes, notes=(*plain.notes, note))
    if task == "counts":
        plain = read_target(series, task="regression", choice=choice, file=file)
        target, said = as_counts(plain.target, plain.values)
        kept = (note for note in plain.notes if "pass --task counts" not in note)
        return plain._replace(target=target, notes=(*kept, *said))
    if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Object):
        raise DataError(f"The target {series.name!r} holds {series.dtype}", "Numbers or class names", "Choose another")
    reader = judge(series, choice, file)
    if (
        reader.kind == "date"
        and choice.read == "auto"
        and (reader.pattern in _NUMBERS or values.is_number_type(series))
    ):
        reader = judge(series, replace(choice, read="number"), file)
    if reader.kind == "date":
        raise DataError(
            f"The target {series.name!r} holds dates ({_shown([str(v) for v in series.drop_nulls().head(2)])})",
            "A number or a class per row",
            f"Predict a number made of it, or read it as classes: --column '{series.name}=category'",
        )
    if choice.read == "category" or not _numeric(reader):
        if task == "regression":
            raise _words(series, reader)
        return _classes(series, reader, _why(series, choice), exact=choice.exact)
    read = _found(reader)
    if task == "regression" or choice.read == "number":
        return _values(reader)
    found = read.values[np.isfinite(read.values)]
    unique = len(np.unique(found[:100_000])) if len(found) else 0
    unique = len(np.unique(found)) if unique <= 2 * MOST_CLASSES else unique
    whole = bool((found == np.floor(found)).all())
    few = unique <= 2 or (whole and unique <= MOST_CLASSES and unique <= max(2, len(found) // 5))
    few = few or (whole and _like_labels(found))
    if task == "classification" or few:
        return _classes(series, reader, "it holds a few different values only", numbers=unique > 2)
    return _values(reader)


def known_target(series: pl.Series, target: Target) -> Aim:
    """Read a target column against a known target (a test file, rows with labels that came later).

    Raises:
        DataError: a class that the model does not know, or numbers in another style.

    """
    if target.part:
        found = held(series, target.part.removeprefix(HAS), target.format, target.missing)
        return Aim(target, np.where(np.isnan(found), -1, found).astype(np.int64))
    if target.task == "regression":
        return _known_numbers(series, target)
    labels = values.labels(series, target.missing)
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


def _known_numbers(series: pl.Series, target: Target) -> Aim:
    read = values.numbers(series, target.style, target.missing)
    if not len(read.words):
        return Aim(target, read.values)
    shown, known = _shown(sorted(read.words.unique().head(1000).to_list())), int(np.isfinite(read.values).sum())
    if len(read.words) > known:
        raise DataError(
            f"The target {target.name!r} is written as {shown} in {len(read.words):,} cells",
            f"Numbers as the model learned them, like {target.style.example}",
            f"Say how they are written: --column '{target.name}=number,decimal=,' (or decimal=.)",
        )
    note = f"The target {target.name!r} holds {len(read.words):,} words ({shown}); these rows count as missing."
    return Aim(target, read.values, (note,))


def _why(series: pl.Series, choice: ColumnChoice) -> str:
    if choice.read == "category":
        return "you say that it holds categories"
    return "it is true or false" if series.dtype == pl.Boolean else "its values are words"


def _found(reader: Reader) -> values.Numbers:
    if reader.found is None:
        raise TypeError(f"the reader of {reader.name!r} holds no numbers")
    return reader.found


def _values(reader: Reader) -> Aim:
    name, read = reader.name, _found(reader)
    found = read.values[np.isfinite(read.values)]
    if not len(found):
        raise DataError(f"The target {name!r} holds no values", "A number per row", "Choose another column")
    if found.min() == found.max():
        raise DataError(
            f"The target {name!r} is always {found[0]:g}", "Values that differ between rows", "Choose another column"
        )
    notes = [f"The task is regression: the target {name!r} is a number.", *reader.said, *reader.doubts]
    if len(read.words):
        shown = _shown(list(reader.odd))
        notes.append(f"The target {name!r} holds {len(read.words):,} words ({shown}); these rows count as missing.")
    if read.infinite:
        notes.append(f"The target {name!r} holds {read.infinite:,} infinite values; these rows count as missing.")
    if are_counts(found) and len(np.unique(found)) > 2:
        notes.append(f"All values of {name!r} are whole and 0 or more: if they count something, pass --task counts.")
    style = reader.style
    target = Target(name, "regression", format=style.form, unit=style.unit, missing=reader.missing)
    return Aim(target, read.values, tuple(notes), reader)


def _classes(series: pl.Series, reader: Reader, why: str, *, numbers: bool = False, exact: bool = False) -> Aim:
    name = series.name
    labels = values.labels(series, reader.missing, reader.text)
    found = dict(labels.rename("label").drop_nulls().value_counts(name="count").iter_rows())
    words, merged = (sorted(found), {}) if exact else one_spelling(found)
    if len(words) < len(found) or set(words) != set(found):
        by_fold = {fold(word): word for word in words}
        labels = labels.replace_strict(
            {word: by_fold[fold(word)] for word in found}, default=None, return_dtype=pl.String
        )
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
    notes = [f"The task is classification into {len(names)} classes: for the target {name!r}, {why}.", *reader.doubts]
    if merged:
        notes.append(
            f"Classes that differ in spelling only are one: {spellings(merged)}. "
            f"To keep them apart: --column '{name}=category,case=exact'."
        )
    if reader.missing is None and series.dtype == pl.String:
        lost = series.str.strip_chars().filter(labels.is_null())
        lost = lost.filter(lost.str.to_lowercase().is_in(sorted(NAMES_TOO)).fill_null(False))
        notes += [missing_or_name(name, lost)] if len(lost) else []
    if numbers:
        notes.append(
            "To predict it as a number or a count instead, pass --task regression or --task counts; "
            "as levels in their order (grades, say), --task ordinal."
        )
    rare = counts.filter(pl.col("count") < 5)
    if rare.height:
        few = _shown(sorted(rare["label"].to_list(), key=_order))
        notes.append(f"Fewer than 5 rows have the class {few}.")
    codes = {label: code for code, label in enumerate(names)}
    target = Target(name, task, tuple(names), missing=reader.missing)  # type: ignore[arg-type]
    return Aim(target, _codes(labels, codes), tuple(notes), reader)


def _codes(labels: pl.Series, codes: dict[str, int]) -> NDArray[np.int64]:
    found = labels.replace_strict(codes, default=None, return_dtype=pl.Int64)
    return np.array(found.fill_null(-1).to_numpy(), dtype=np.int64)


def _numeric(reader: Reader) -> bool:
    if reader.kind != "number" or not reader.cells:
        return False
    many = len(np.unique(_found(reader).values)) > MANY_NUMBERS
    return many or reader.misfits <= WORDS_ALLOWED * reader.cells


def _like_labels(found: NDArray[np.float64]) -> bool:
    """Tell whether whole numbers count classes: 0 or 1 up to at most ``MOST_LABELS``, each about equally often."""
    low, high = float(found.min()), float(found.max())
    if low not in (0.0, 1.0) or high > MOST_LABELS:
        return False
    counts = np.bincount((found - low).astype(np.int64))
    return bool(counts.min() >= 20 and counts.max() <= 3 * counts.min())


def _words(series: pl.Series, reader: Reader) -> DataError:
    shown = "true and false"
    if series.dtype != pl.Boolean:
        shown = _shown(list(reader.odd) or sorted(map(str, series.drop_nulls().unique().head(1000).to_list())))
    return DataError(
        f"The target {series.name!r} holds words ({shown})", "Numbers, for regression", "Use --task classification"
    )


def _order(label: str) -> tuple[int, float, str]:
    try:
        return 0, float(label), label
    except ValueError:
        return 1, 0.0, label


def _near(label: str) -> str:
    return fold(label).rstrip(".")


def _shown(names: list[str]) -> str:
    return ", ".join(repr(name[:40]) for name in names[:5]) + (" …" if len(names) > 5 else "")
