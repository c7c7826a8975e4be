"""Predictions as columns of a file: safe for spreadsheets, in the order of the rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from temperance.cli.answer_file import AnswerFile, Columns

if TYPE_CHECKING:
    from temperance.deployment import Bundle
    from temperance.records.schema import Rows


def answers(bundle: Bundle, rows: Rows, *, level: float | None = None) -> Columns:
    """Return ``prediction`` and ``probability_<class>`` per class, or ``low`` and ``high`` if the bundle has them.

    Args:
        bundle: the model.
        rows: what it is asked.
        level: share of rows that ``low`` … ``high`` is to hold; None: the bundle's own.

    Raises:
        BundleError: a level that the bundle has no width for, or a model of classes.

    """
    answer = np.asarray(bundle.predict(rows))
    if not bundle.classes:
        columns: Columns = {"prediction": answer.tolist()}
        if bundle.has_interval or level is not None:
            low, high = bundle.bounds(answer, level=level)
            columns |= {"low": low.tolist(), "high": high.tolist()}
        return columns
    if level is not None:
        bundle.half_width(level)  # says that a model of classes has none
    names = np.array(bundle.classes, dtype=object)
    columns = {"prediction": names[bundle.answers(answer)].tolist() if len(answer) else []}
    return columns | {f"probability_{name}": answer[:, i].tolist() for i, name in enumerate(bundle.classes)}


def led_by(name: str, labels: list[Any], columns: Columns) -> Columns:
    """Return the columns with one before them that says what each row is; it gives way where its name is taken."""
    while name in columns:
        name += "_"
    return {name: labels, **columns}


def write(columns: Columns, path: Path) -> None:
    """Write CSV or Parquet, whole or not at all.

    Raises:
        DataError: the disk is full or the folder cannot be written.

    """
    with AnswerFile(path) as out:
        out.add(columns)
