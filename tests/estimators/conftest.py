"""Small data for estimators, and one study that all tests share."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest


@pytest.fixture(scope="session")
def data() -> SimpleNamespace:
    """Numbers ``X``, a mixed frame, classes, labels and values, 160 rows."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(160, 3))
    words = np.array(["u", "v", "w"])[rng.integers(0, 3, size=160)]
    positive = X[:, 0] + (words == "u") > 0.3
    frame = pl.DataFrame({"a": X[:, 0], "word": words, "b": X[:, 1]})
    return SimpleNamespace(
        X=X, frame=frame, positive=positive, labels=np.where(X[:, 0] > 0, "up", "down"), values=10 + 5 * X[:, 0]
    )
