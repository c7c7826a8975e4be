"""NumPy ``.npz`` archives with inputs and targets. Pickled objects are refused: they could run code."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from temperance.data import fingerprint
from temperance.data.arrays import Arrays
from temperance.data.base import Contents, Source
from temperance.records.damaged import DAMAGED
from temperance.records.errors import DataError

SERIES = "series"
INPUTS = ("x", "data", "images", "features", "inputs", SERIES)
TARGETS = ("y", "target", "targets", "labels", "label")


@dataclass(frozen=True)
class NpzFile(Source):
    """An archive with ``X`` and ``y`` (or ``images``/``labels``, ``data``/``target``, ``x_train``/``y_train`` …).

    Where the archive holds a train and a test part, ``part`` says which one is read. Inputs called ``series`` are
    series (n, length) or (n, channels, length); so are others with three axes that are no images.
    """

    path: Path
    target: str | None = None
    part: str = "train"
    channels: int | None = None

    def open(self, scratch: Path) -> Contents:
        try:
            with warnings.catch_warnings(), np.load(self.path, allow_pickle=False) as archive:
                warnings.simplefilter("ignore", UserWarning)  # "created on Python 2": the arrays are whole
                names = {name.lower(): name for name in archive.files}
                key, label, notes = self._keys(names, archive.files)
                inputs = archive[key]
                targets = archive[label] if label else None
                if not isinstance(inputs, np.ndarray) or not isinstance(targets, np.ndarray | None):
                    raise ValueError("a part of the archive is no array")
        except DAMAGED as error:
            if isinstance(error, DataError):
                raise
            raise self._refuse(error) from error
        if targets is not None and targets.ndim == 2 and targets.shape[1] > 1:
            raise DataError(
                f"{self.path.name}: {label!r} has the shape {targets.shape}",
                "One target per row",
                "Store class numbers",
            )
        channels = 0 if self.channels is None and key.lower().startswith(SERIES) else self.channels
        opened = Arrays(inputs, targets, name=self.path.stem, channels=channels).open(scratch)
        name = self.path.resolve().parent.name if self.path.stem == "data" else self.path.stem
        digest = fingerprint.of_file(self.path)
        return replace(opened, name=name, fingerprint=digest, notes=(*notes, *opened.notes))

    def _keys(self, names: dict[str, str], shown: Sequence[str]) -> tuple[str, str | None, tuple[str, ...]]:
        """Return the names of inputs and targets in the archive, and notes."""
        for suffix in ("", f"_{self.part}", "_train", "_test"):
            key = next((names[word + suffix] for word in INPUTS if word + suffix in names), None)
            if key is None:
                continue
            wanted = () if self.target is None else (self.target.lower(), self.target.lower() + suffix)
            words = [*wanted, *(word + suffix for word in TARGETS)]
            label = next((names[word] for word in words if word in names and names[word] != key), None)
            notes = (f"The part {key!r} of {self.path.name} was read.",) if suffix else ()
            return key, label, notes
        raise DataError(
            f"{self.path.name} holds the arrays {', '.join(shown[:8]) or '(none)'}",
            "Inputs called X, data, images, features or series, and targets called y, target or labels",
            "Save the file with numpy.savez(path, X=X, y=y)",
        )

    def _refuse(self, error: Any) -> DataError:
        if "allow_pickle" in str(error) or "pickled" in str(error):
            return DataError(
                f"{self.path.name} holds Python objects",
                "Plain arrays of numbers or text; objects could run code and are never loaded",
                "Save numbers with their own type, e.g. X.astype(float)",
            )
        return DataError(
            f"{self.path.name} cannot be read as a NumPy archive: {str(error)[:200]}",
            "A file written by numpy.savez or numpy.savez_compressed",
            "Write the file again",
        )
