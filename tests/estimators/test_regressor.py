"""The regressor on arrays and frames."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from temperance.estimators import TemperanceRegressor
from temperance.records.errors import SettingError


def test_it_learns_in_the_units_of_the_target(data: SimpleNamespace) -> None:
    model = TemperanceRegressor(epochs=15).fit(data.X, data.values)
    answer = model.predict(data.X)
    assert answer.shape == (160,)
    assert model.score(data.X, data.values) > 0.8
    assert abs(answer.mean() - data.values.mean()) < 1


def test_missing_numbers_are_taken(data: SimpleNamespace) -> None:
    X = data.X.copy()
    X[::7, 1] = np.nan
    X[:, 2] = np.nan
    model = TemperanceRegressor(epochs=5).fit(X, data.values)
    assert np.isfinite(model.predict(X)).all()
    assert np.isfinite(model.predict(data.X)).all()


def test_frames_are_taken(data: SimpleNamespace) -> None:
    model = TemperanceRegressor(epochs=15).fit(data.frame, data.values)
    assert model.score(data.frame, data.values) > 0.8


def test_an_interval_needs_a_study(data: SimpleNamespace) -> None:
    model = TemperanceRegressor(epochs=1).fit(data.X, data.values)
    with pytest.raises(SettingError, match="budget"):
        model.predict_interval(data.X)


def test_targets_that_are_not_finite_are_refused(data: SimpleNamespace) -> None:
    values = data.values.copy()
    values[3] = np.inf
    with pytest.raises(ValueError, match="NaN or infinity"):
        TemperanceRegressor(epochs=1).fit(data.X, values)


def test_a_folded_run_measures_ranges_on_rows_that_it_held_out() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(240, 2))
    y = X[:, 0] + 0.3 * random.normal(size=240)
    model = TemperanceRegressor(interval=0.6).fit(X[:120], y[:120])
    low, high = model.predict_interval(X[120:])
    assert 0.45 < ((low <= y[120:]) & (y[120:] <= high)).mean() < 0.8
    wider = model.predict_interval(X[120:], level=0.95)
    assert (wider[0] < low).all()
    with pytest.raises(SettingError, match="between 0 and 1"):
        TemperanceRegressor(interval=60).fit(X, y)
