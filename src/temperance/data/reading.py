"""What was read: the table, what is said about it, and how each column was read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.data.choices import Choices, ColumnChoice, to_toml
from temperance.data.judge import Reader
from temperance.data.misfits import Misfit
from temperance.records.schema import Target
from temperance.records.table import Table

Dropped = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Reading:
    """What was read.

    Attributes:
        table: rows, targets, schema.
        notes: plain sentences about how the data was understood.
        dropped: ``{"rows": n or None, "column": name or None, "why": sentence}``.
        readers: how each column was read, with the evidence; empty where a schema said it.
        choices: what the user decided.
        profile: ``{"columns": […], "target": {…}}``, JSON-safe.
        labels: names of the series (one per row of the table), of a long table.
        files: name of the file of each row, of a folder of images.
        groups: names of the groups by code, where there are not too many.
        present: (f,) which of the rows that were read are in the table; None where that is not known.
        misfits: what the notes say of cells that do not fit a schema.
        beside: the further targets of the rows, (target, its values (b,)) each; see ``several``.

    """

    table: Table
    notes: tuple[str, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    readers: tuple[Reader, ...] = ()
    choices: Choices = field(default_factory=Choices)
    profile: dict[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    present: NDArray[np.bool_] | None = None
    misfits: tuple[Misfit, ...] = ()
    beside: tuple[tuple[Target, NDArray[Any]], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields (not the rows)."""
        return {
            "name": self.table.name,
            "sha256": self.table.fingerprint,
            "rows": len(self.table),
            "target": self.table.schema.target.name,
            "task": self.table.schema.target.task,
            "classes": list(self.table.schema.target.classes),
            "schema": self.table.schema.to_dict(),
            "dropped": [dict(item) for item in self.dropped],
            "notes": list(self.notes),
            "read": [reader.to_dict() for reader in self.readers],
            "profile": self.profile,
        }

    def to_toml(self) -> str:
        """Return how the columns were read as a file for ``--schema``, with the evidence beside each."""
        found = {reader.name: reader.choice() for reader in self.readers}
        target = self.table.schema.target
        if target.classes:
            found[target.name] = ColumnChoice("category", missing=target.missing)
        remarks = {reader.name: reader.remark() for reader in self.readers}
        for item in self.dropped:
            if item["column"] is not None:
                found[item["column"]], remarks[item["column"]] = ColumnChoice("drop"), item["why"]
        return to_toml(replace(self.choices, columns=found | self.choices.columns), remarks)
