"""A file of predictions as a ``Subject``: figures of these answers, and nothing that would need the model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from temperance.deployment.opening.answers import order_of, plain
from temperance.evaluation.aspects.base import Subject
from temperance.evaluation.base import outcome
from temperance.records.errors import DataError
from temperance.records.schema import Rows, Schema
from temperance.records.table import Table

CHANCE = "probability_"
ANSWER = "prediction"


@dataclass(frozen=True, eq=False)
class NoModel:
    """Stands where a model is not at hand."""

    schema: Schema

    def predict(self, rows: Rows) -> NDArray[Any]:
        """Refuse; a model would return (b, c) or (b,).

        Raises:
            DataError: always.

        """
        raise DataError("a file of predictions was asked about other rows", "the model itself", "Give the model")


def open_predictions(path: str | Path, table: Table, present: NDArray[np.bool_] | None = None) -> Subject:
    """Open predictions, one for each row of the table in its order.

    Columns, as ``temperance predict`` writes them: ``probability_<class>`` for each class, or ``prediction`` alone;
    for numbers ``prediction``, perhaps ``low`` and ``high``.

    Args:
        path: a .csv or .parquet file.
        table: the rows that they belong to.
        present: (f,) which rows of the data's file are in the table; predictions may stand for all f.

    Raises:
        DataError: other columns, other classes, another count of rows, or predictions that are missing.

    """
    found = _read(Path(path))
    if present is not None and len(found) == len(present) != len(table):
        found = found.filter(pl.Series(present))
    if len(found) != len(table):
        raise DataError(
            f"{path} holds {len(found)} predictions", f"one for each of the {len(table)} rows of {table.name}",
            "Predict the same rows in the same order",
        )  # fmt: skip
    schema = table.schema
    ends: dict[str, Any] = {}
    reasons: dict[str, str] = {"training_rows": "a file of predictions does not say which rows the model learned from"}
    if schema.target.task == "regression":
        answer = _numbers(found, ANSWER)
        if {"low", "high"} <= set(found.columns):
            ends = {name: _numbers(found, name) for name in ("low", "high")}
    elif any(name.startswith(CHANCE) for name in found.columns):
        names = [name for name in found.columns if name.startswith(CHANCE)]
        order = order_of([name.removeprefix(CHANCE) for name in names], schema)
        answer = np.stack([_numbers(found, name) for name in names], axis=1)[:, order]
    else:
        answer = _answers(found, schema)
        reasons["probabilities"] = "the file holds answers without probabilities"
    notes = _told(found, answer, schema) if "probabilities" not in reasons else ()
    observed = outcome(answer, target=table.target, spec=schema.target, groups=table.group, weight=table.weight, **ends)
    return Subject(
        NoModel(schema), kind="predictions", name=Path(path).stem, reasons=reasons, place=str(path), observed=observed,
        notes=notes,
    )  # fmt: skip


def _read(path: Path) -> pl.DataFrame:
    try:
        read = (
            pl.read_parquet(path) if path.suffix.lower() == ".parquet" else pl.read_csv(path, infer_schema_length=None)
        )
    except Exception as fault:  # polars raises many kinds on damaged files
        raise DataError(
            f"{path} cannot be read: {fault}", "a CSV or Parquet file of predictions", "Check it"
        ) from fault
    return read


def _numbers(found: pl.DataFrame, name: str) -> NDArray[np.float64]:
    if name not in found.columns:
        raise DataError(
            f"no column {name!r} among {', '.join(found.columns[:8])}",
            f"{ANSWER!r}, or {CHANCE}<class> for each class", "Write them as `temperance predict` does",
        )  # fmt: skip
    try:
        values: NDArray[np.float64] = found[name].cast(pl.Float64).to_numpy().astype(np.float64)
    except pl.exceptions.PolarsError as fault:
        raise DataError(f"the column {name!r} holds words", "numbers", "Check the file") from fault
    if not np.isfinite(values).all():
        raise DataError(
            f"{int((~np.isfinite(values)).sum())} cells of {name!r} are missing", "a number in each row", ""
        )
    return values


def _told(found: pl.DataFrame, shares: NDArray[np.float64], schema: Schema) -> tuple[str, ...]:
    """Say where the answers of the file are not the likeliest classes, by which figures go; shares (b, c)."""
    if schema.target.task == "regression" or ANSWER not in found.columns:
        return ()
    own = _answers(found, schema)
    other = int((np.take_along_axis(shares, own.argmax(axis=1)[:, None], axis=1)[:, 0] < shares.max(axis=1)).sum())
    if not other:
        return ()
    return (
        f"In {other:,} of {len(own):,} rows {ANSWER!r} is not the likeliest class (were there costs, or a threshold?). "
        f"Figures are of the likeliest, or under --cost of the cheapest; to measure the answers themselves, leave the "
        f"columns {CHANCE}… out.",
    )


def _answers(found: pl.DataFrame, schema: Schema) -> NDArray[np.float64]:
    if ANSWER not in found.columns:
        raise DataError(
            f"no column {ANSWER!r} among {', '.join(found.columns[:8])}",
            f"{ANSWER!r}, or {CHANCE}<class> for each class", "Write them as `temperance predict` does",
        )  # fmt: skip
    codes = {name: i for i, name in enumerate(schema.target.classes)}
    labels = [plain(value) for value in found[ANSWER].to_list()]
    labels = [
        label[1:] if label not in codes and label[:1] == "'" else label for label in labels
    ]  # as `predict` quotes
    strange = sorted({label for label in labels if label not in codes})
    if strange:
        raise DataError(
            f"predictions of the class {strange[0]!r}", f"the classes {', '.join(schema.target.classes)}",
            "Check the file",
        )  # fmt: skip
    whole = np.zeros((len(labels), len(codes)))
    whole[np.arange(len(labels)), [codes[label] for label in labels]] = 1.0
    return whole
