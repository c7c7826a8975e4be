from __future__ import annotations

import numpy as np
import pytest

from temperance.deployment.base import model_graph
from temperance.deployment.basic import basic_part
from temperance.deployment.sketch import Sketch
from temperance.deployment.write import Exported
from temperance.models.basic import Persistence, Sample, SeasonalPersistence, cross_fit
from temperance.records.errors import DataError
from temperance.records.layout import Forecast
from temperance.records.schema import Column, Rows, Schema, Target

NAMES = ("warm", "y 1 before", "y 7 before", "y 30 before")
SCHEMA = Schema(
    (*(Column(name, "numeric") for name in NAMES), Column("c", "categorical", vocabulary=("u", "v"))),
    Target("y", "regression"),
    forecast=Forecast("t", (1, 7, 30)),
)


def sample(rows: int = 60) -> Sample:
    """Return rows where the value 7 before is the best guess."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=rows)
    noise = rng.normal(size=(rows, 4)) * (1.0, 0.8, 0.1, 0.5)
    return Sample(Rows(y[:, None] * (0, 1, 1, 1) + noise, rng.integers(2, size=(rows, 1)).astype(np.int32)), y)


def test_the_last_known_value_is_the_shortest_lag_and_the_season_is_chosen() -> None:
    one = sample()
    last = Persistence().fit(one.rows, one.target, schema=SCHEMA, valid=tuple(one))
    season = SeasonalPersistence().fit(one.rows, one.target, schema=SCHEMA, valid=tuple(one))
    assert np.array_equal(last.predict(one.rows), one.rows.numeric[:, 1])
    assert np.array_equal(season.predict(one.rows), one.rows.numeric[:, 2])
    assert season.settings == {"lag": 7.0}
    assert season.tried == 2
    assert SeasonalPersistence(**season.rebuilt).settled


def test_a_missing_value_is_answered_by_the_mean_of_training() -> None:
    one = sample()
    one.rows.numeric[:5, 1] = np.nan
    fitted = Persistence().fit(one.rows, one.target, schema=SCHEMA, valid=None)
    np.testing.assert_allclose(fitted.predict(one.rows)[:5], one.target.mean())


def test_out_of_fold_and_exported_answers_are_the_same() -> None:
    one = sample()
    half = np.arange(30)
    found = cross_fit(SeasonalPersistence(), one, [(half, half + 30), (half + 30, half)], schema=SCHEMA)
    assert found is not None
    assert found.chosen == {"lag": 7}
    np.testing.assert_allclose(found.answers, one.rows.numeric[:, 2])
    one.rows.numeric[0, 2] = np.nan
    sketch = Sketch(SCHEMA)
    graph = model_graph(basic_part(found.members[0], SCHEMA), sketch, SCHEMA.target).SerializeToString()
    np.testing.assert_allclose(Exported(SCHEMA, graph).predict(one.rows), found.members[0].predict(one.rows), rtol=1e-6)


def test_rows_without_earlier_values_are_refused() -> None:
    one = sample()
    bare = Schema(SCHEMA.columns, SCHEMA.target)
    with pytest.raises(DataError, match="without earlier values"):
        Persistence().fit(one.rows, one.target, schema=bare, valid=None)
