"""A bundle as a ``Subject``: it brings its schema, the marks of its training rows and its own record."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from temperance.deployment.bundle import Bundle, load, read_arrays
from temperance.deployment.opening.probe import probe
from temperance.deployment.record import record
from temperance.deployment.write import TRAINING_ROWS
from temperance.evaluation.aspects.base import Differentiable, Subject
from temperance.evaluation.own_rows import OwnRows, of_marks
from temperance.records.row_marks import RowMarks
from temperance.records.table import Table

UNKNOWN = "this bundle holds no marks of its rows: it was written before there were any, or with --no-marks"


def open_bundle(folder: str | Path) -> Subject:
    """Load a bundle.

    Raises:
        BundleError: it is damaged, foreign or newer.

    """
    bundle = load(folder)
    reasons = {}
    marks = training_rows(bundle)
    if marks is None:
        reasons["training_rows"] = UNKNOWN

    def network() -> Differentiable:
        from temperance.deployment.torch_graph import open_network

        data = (bundle.folder / "model.onnx").read_bytes()
        return open_network(data, bundle.schema, predictor=bundle, probe=probe(bundle.schema), blocks=bundle.blocks)

    return Subject(
        bundle, kind="bundle", name=bundle.name, version=bundle.version, open_network=network, training=marks,
        record=record(bundle), reasons=reasons, place=str(bundle.folder), notes=_of_groups(bundle),
    )  # fmt: skip


def _of_groups(bundle: Bundle) -> tuple[str, ...]:
    """Say what marks of single rows cannot tell where the study kept groups together."""
    group = bundle.card.get("details", {}).get("group")
    if group is None:
        return ()
    return (
        f"The study of this model kept all rows of one {str(group)!r} together. Here rows are known one by one: other "
        "rows of a group that it learned from count as unseen, and may look better than new groups would.",
    )


def training_rows(bundle: Bundle) -> RowMarks | None:
    """Return the marks of the rows behind a bundle, or None where it was written before there were any.

    Raises:
        BundleError: they are damaged.
        DataError: they are of a newer version.

    """
    if TRAINING_ROWS not in bundle.manifest["files"]:
        return None
    return RowMarks.from_arrays(read_arrays(bundle.folder / TRAINING_ROWS))


def own_rows_of(bundle: Bundle, table: Table) -> OwnRows:
    """Tell the rows of a table apart that a bundle was made from; where it cannot know, say why.

    Raises:
        BundleError: the marks are damaged.

    """
    marks = training_rows(bundle)
    if marks is None:
        none = np.zeros(len(table), dtype=bool)
        return OwnRows(False, none, none, why=UNKNOWN)
    return of_marks(marks, table)
