"""``temperance.fit``."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import temperance
from temperance.estimators import TemperanceClassifier, TemperanceRegressor
from temperance.records.errors import SettingError


def test_the_task_is_told_by_the_target(data: SimpleNamespace) -> None:
    words = temperance.fit(data.X, data.labels, budget=None, epochs=1)
    numbers = temperance.fit(data.frame, data.values, budget=None, epochs=1)
    forced = temperance.fit(data.X, np.arange(160) % 4, budget=None, epochs=1, task="regression")
    assert isinstance(words, TemperanceClassifier)
    assert isinstance(numbers, TemperanceRegressor)
    assert isinstance(forced, TemperanceRegressor)
    assert temperance.TemperanceClassifier is TemperanceClassifier


def test_unknown_settings_name_the_nearest(data: SimpleNamespace) -> None:
    with pytest.raises(SettingError, match="Did you mean 'workers'"):
        temperance.fit(data.X, data.labels, worker=2)
    with pytest.raises(SettingError, match="Did you mean 'regression'"):
        temperance.fit(data.X, data.labels, task="regresion")


def test_importing_the_package_loads_neither_torch_nor_sklearn() -> None:
    code = "import sys, temperance, temperance.estimators; print({'torch', 'sklearn'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"


def test_the_user_decides_how_columns_are_read() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.uniform(1, 9, 80).round(3)
    frame = {"x": [f"{v:.3f}".replace(".", ",") for v in numbers], "id": list(range(80)), "z": rng.normal(size=80)}
    model = temperance.fit(
        pl.DataFrame(frame), numbers > 5, budget=None, epochs=1, columns={"x": "number,decimal=,", "id": "drop"}
    )
    columns = {c.name: c for c in model.predictor_.schema.columns}
    assert set(columns) == {"x", "z"}
    assert columns["x"].high == pytest.approx(numbers.max())
    assert model.predict(pl.DataFrame(frame)).shape == (80,)
    coded = temperance.fit(
        np.c_[numbers, np.arange(80) % 3], numbers > 5, budget=None, epochs=1, columns={"x1": "category"}
    )
    assert coded.predict(np.c_[numbers, np.arange(80) % 3]).shape == (80,)
    with pytest.raises(SettingError, match="numbre"):
        temperance.fit(pl.DataFrame(frame), numbers > 5, budget=None, columns={"x": "numbre"})


def test_a_misfit_at_predict_is_missing_with_a_warning() -> None:
    numbers = np.random.default_rng(0).uniform(1, 9, 80).round(2)
    frame = pl.DataFrame({"x": [f"{v:.2f}" for v in numbers], "z": numbers[::-1]})
    model = temperance.fit(frame, numbers > 5, budget=None, epochs=1)
    with pytest.warns(UserWarning, match=r"'x' holds 80 words where numbers \(like 1234\.5\) belong"):
        model.predict(frame.with_columns(pl.col("x").str.replace(".", ",", literal=True)))
