"""Several targets of the same rows: numbers or classes in several columns, or the labels in the cells of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.data import values
from temperance.data.base import Contents
from temperance.data.choices import Choices, ColumnChoice
from temperance.data.columns import listing
from temperance.data.evidence import FileStyle
from temperance.data.reading import Reading
from temperance.data.roles import split
from temperance.data.sets import NESTED, as_text, cut_of, listed
from temperance.data.summary import profile
from temperance.data.target import Aim, known_target, read_target
from temperance.records.errors import DataError
from temperance.records.members import HAS, members
from temperance.records.roles import Roles
from temperance.records.schema import Target
from temperance.records.table import Table

LEAST_LABEL = 20  # rows that must have a label, and as many that must not
RARE = 10  # sets of answers that fewer rows have are spread by their rarest answer
NO_YES = ("no", "yes")
NONE = frozenset({"none", "nothing", "no label", "keine", "keins", "-"})


def aims_of(contents: Contents, names: Sequence[str], task: str, choices: Choices, file: FileStyle) -> tuple[Aim, ...]:
    """Read the target columns of a source, one target or several; of ``multilabel`` one for each label.

    Args:
        contents: an opened source.
        names: the columns.
        task: see ``read_target``, or ``multilabel``.
        choices: what the user decided about them.
        file: how the file writes numbers.

    Raises:
        DataError: a column that cannot be predicted; see ``read_target`` and ``labels.aims``.

    """
    if task != "multilabel":
        return tuple(
            read_target(contents.column(name), task=task, choice=choices.of(name), file=file) for name in names
        )
    if len(names) > 1:
        raise DataError(
            f"The targets {', '.join(map(repr, names))} with --task multilabel", "One column whose cells hold labels",
            "Leave --task out: yes/no columns are several targets as they are",
        )  # fmt: skip
    return label_aims(contents.column(names[0]), choices.of(names[0]))


def label_aims(series: pl.Series, choice: ColumnChoice) -> tuple[Aim, ...]:
    """Return a yes/no target for each label that enough cells hold and enough do not.

    An empty cell is missing, not "no label"; ``none`` where it stands alone is.

    Raises:
        DataError: no cell holds several labels, or none of them is seen often enough.

    """
    text = values.clean(as_text(series), choice.missing)
    sign = NESTED if listed(series.dtype) else choice.sep or cut_of(text).sign
    if not sign:
        raise DataError(
            f"No cell of the target {series.name!r} holds several labels", "Labels with ; or | or a comma between them",
            f"Say what stands between them: --column '{series.name}=set,sep=+'; one label a cell is a class: leave "
            "--task multilabel out",
        )  # fmt: skip
    counts = Counter(word for cell in text.drop_nulls().to_list() for word in members(cell, sign))
    cut = [members(cell, sign) for cell in text.drop_nulls().unique().to_list()]
    beside = {word for words in cut if len(words) > 1 for word in words}
    none = [word for word in counts if word.lower() in NONE and word not in beside]
    rows = len(text) - text.null_count()
    for word in none:
        del counts[word]
    kept = sorted(word for word, count in counts.items() if LEAST_LABEL <= count <= rows - LEAST_LABEL)
    if len(kept) < 2:
        raise DataError(
            f"The target {series.name!r} holds {len(counts)} labels, of which {len(kept)} can be learned",
            f"At least two labels that {LEAST_LABEL} rows have and {LEAST_LABEL} have not",
            "Add rows, or predict a single column",
        )  # fmt: skip
    note = f"Each of the {len(kept)} labels of {series.name!r} is a yes/no target."
    if none:
        note += f" The word {none[0]!r} always stands alone: it means that a row has no label."
    if len(kept) < len(counts):
        lost = listing(sorted(set(counts) - set(kept)))
        note += f" Fewer than {LEAST_LABEL} rows have, or lack, {lost}: left out."
    missing = None if choice.missing is None else tuple(choice.missing)
    return tuple(
        _label(series, word, sign, missing)._replace(notes=(note,) if i == 0 else ()) for i, word in enumerate(kept)
    )


def _label(series: pl.Series, word: str, sign: str, missing: values.Missing) -> Aim:
    name, words = f"{series.name} has {word}", None if missing is None else tuple(missing)
    target = Target(name, "binary", NO_YES, format=sign, missing=words, source=series.name, part=HAS + word)
    return known_target(series, target)


def readings_of(reading: Reading) -> tuple[Reading, ...]:
    """Return one reading per target: the same rows and inputs, another target each."""
    first = reading.table
    columns = dict.fromkeys([first.schema.target.column, *(target.column for target, _ in reading.beside)])
    schema = replace(first.schema, ignored=(*dict.fromkeys([*first.schema.ignored, *columns]),))
    tables = [
        replace(first, schema=replace(schema, target=target), target=values)
        for target, values in ((first.schema.target, first.target), *reading.beside)
    ]
    return tuple(
        replace(reading, table=table, beside=(), profile={**reading.profile, "target": profile(table)["target"]})
        for table in tables
    )


def split_together(tables: Sequence[Table], *, seed: int, test: Table | None = None) -> Roles:
    """Give each row one role for all targets: see ``split``; what is spread evenly are the targets together.

    Classes are spread by the set of a row's answers; a set of fewer than 10 rows counts as its rarest answer. Numbers
    are spread by tenths of the mean of their ranks.

    Args:
        tables: the same rows with a target each.
        seed: same seed, same roles.
        test: the table of ``--test``.

    Raises:
        DataError: too few rows or groups.

    """
    spread = replace(tables[0].schema.target, task="multiclass", classes=())
    schema = replace(tables[0].schema, target=spread)
    return split(replace(tables[0], schema=schema, target=strata([t.target for t in tables])), seed=seed, test=test)


def strata(targets: Sequence[NDArray[np.generic]]) -> NDArray[np.int64]:
    """Return what to spread evenly, a code per row (b,), for targets (b,) each."""
    codes = [np.asarray(one, dtype=np.int64) for one in targets if np.issubdtype(one.dtype, np.integer)]
    ranks = [np.argsort(np.argsort(one, kind="stable"), kind="stable") for one in targets
             if not np.issubdtype(one.dtype, np.integer)]  # fmt: skip
    parts: list[NDArray[np.int64]] = []
    if codes:
        parts.append(_sets(np.stack(codes, axis=1)))
    if ranks:
        mean = np.mean(ranks, axis=0)
        tenths = np.quantile(mean, np.linspace(0.1, 0.9, 9))
        places: NDArray[np.int64] = np.asarray(np.searchsorted(tenths, mean, side="right"), dtype=np.int64)
        parts.append(places)
    return np.asarray(np.unique(np.stack(parts, axis=1), axis=0, return_inverse=True)[1].reshape(-1), dtype=np.int64)


def _sets(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a code per row for its answers (b, t); rare sets of answers share the code of their rarest answer."""
    _, found, counts = np.unique(codes, axis=0, return_inverse=True, return_counts=True)
    found = found.reshape(-1)
    rare = counts[found] < RARE
    if not rare.any():
        return found
    seen = np.stack([np.bincount(column, minlength=column.max() + 1)[column] for column in codes.T], axis=1)
    rarest = seen.argmin(axis=1)
    answer = codes[np.arange(len(codes)), rarest]
    lumped = len(counts) + rarest * (int(codes.max()) + 1) + answer
    return np.where(rare, lumped, found)
