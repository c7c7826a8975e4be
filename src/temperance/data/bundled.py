"""The real data sets that come inside scikit-learn: nothing is downloaded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from temperance.data.arrays import Arrays
from temperance.data.base import Contents, Source
from temperance.records.errors import DataError, nearest

NOISY, NOISY_TEST = "noisy_digits", "noisy_digits_test"
NAMES = ("breast_cancer", "diabetes", "digits", "digits_table", "iris", NOISY, NOISY_TEST, "wine")
PREFIX = "sklearn:"
NOISY_ROWS, NOISY_SHARE = 400, 0.3


@dataclass(frozen=True)
class BundledSet(Source):
    """A bundled set by name.

    ``digits`` gives images of 8 × 8, ``digits_table`` the same as 64 columns. ``noisy_digits`` are 400 rows of these,
    30 % of them with a wrong answer on purpose, and ``noisy_digits_test`` the other 1,397 with the right ones.
    """

    set_name: str

    def open(self, scratch: Path) -> Contents:
        if self.set_name not in NAMES:
            raise DataError(
                f"There is no bundled set {self.set_name!r}",
                f"The bundled sets are {', '.join(NAMES)}",
                nearest(self.set_name, NAMES) or "Choose one of them, or pass a file",
            )
        from sklearn import datasets

        if self.set_name in (NOISY, NOISY_TEST):
            return self._noisy(scratch)
        base = "digits" if self.set_name == "digits_table" else self.set_name
        options: dict[str, Any] = {"scaled": False} if base == "diabetes" else {}
        bunch = getattr(datasets, f"load_{base}")(**options)
        classes = None if base == "diabetes" else np.array([str(name) for name in bunch.target_names])
        targets = pl.Series("target", bunch.target if classes is None else classes[bunch.target])
        if self.set_name == "digits":
            images = np.round(bunch.images * (255.0 / 16.0)).astype(np.uint8)
            note = "The digits are read as images of 8 × 8; 'digits_table' reads them as 64 columns."
            opened = Arrays(images, targets, name=base).open(scratch)
            return replace(opened, notes=(note,))
        names = [str(name).replace(" (cm)", "_cm").replace(" ", "_") for name in bunch.feature_names]
        frame = pl.DataFrame(dict(zip(names, bunch.data.T, strict=True)))
        return replace(Arrays(frame, targets, name=self.set_name).open(scratch), plain=True)

    def _noisy(self, scratch: Path) -> Contents:
        """Return few rows with wrong answers among them, or the rest as it is; always the same rows."""
        from sklearn.datasets import load_digits

        bunch = load_digits()
        random = np.random.default_rng(0)
        order = random.permutation(len(bunch.target))
        test = self.set_name == NOISY_TEST
        rows = order[NOISY_ROWS:] if test else order[:NOISY_ROWS]  # in no order: their writers stand in blocks there
        answers = bunch.target[rows]
        note = f"These are the other {len(rows):,} digits of scikit-learn, with the right answers."
        if not test:
            wrong = random.permutation(NOISY_ROWS) < round(NOISY_SHARE * NOISY_ROWS)
            answers = np.where(wrong, (answers + random.integers(1, 10, NOISY_ROWS)) % 10, answers)
            note = (
                f"{wrong.sum()} of these {NOISY_ROWS} digits of scikit-learn carry a wrong answer on purpose: the set "
                "shows what regularization does for data that lie."
            )
        frame = pl.DataFrame(dict(zip(map(str, bunch.feature_names), bunch.data[rows].T, strict=True)))
        targets = pl.Series("target", answers.astype(str))
        return replace(Arrays(frame, targets, name=self.set_name).open(scratch), plain=True, notes=(note,))


def bundled_name(text: str) -> str | None:
    """Return the set that ``text`` names (``iris`` or ``sklearn:iris``), or None."""
    if text.startswith(PREFIX):
        return text[len(PREFIX) :]
    return text if text in NAMES else None
