"""Out-of-fold answers: right rows, one choice for all folds, and the clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from temperance.models.basic import BASIC, BasicModel, FitPath, FittedBasic, Sample, cross_fit
from temperance.models.basic.crossfit import pooled
from temperance.records.errors import DataError
from temperance.records.schema import Schema

# the forecasts without learning need earlier values of the target: test_persistence.py
ANY_TABLE = [name for name in BASIC if "Persistence" not in name]


@pytest.mark.parametrize("name", ANY_TABLE)
def test_each_row_is_answered_by_a_model_that_did_not_see_it(name: str, kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("binary", rows=200)
    folds, model = kit.folds_of(200), kit.cheap(name)
    more = kit.inputs(name, schema)
    found = cross_fit(model, Sample(rows, target), folds, schema=schema, seed=1, inputs=lambda _: more)
    assert found is not None
    assert np.isfinite(found.answers).all()
    for i, (train, held) in enumerate(folds):
        np.testing.assert_array_equal(found.members[i].predict(rows.take(held)), found.answers[held])
        alone = BASIC[name](**found.members[i].rebuilt)
        if name not in ("Linear", "Wide"):  # their paths start each fit at the last one's weights
            refit = alone.fit(rows.take(train), target[train], schema=schema, valid=None, seed=1 + i)
            np.testing.assert_allclose(refit.predict(rows.take(held)), found.answers[held], atol=1e-9)
    assert BASIC[name](**found.chosen).settled


@dataclass(frozen=True)
class Known(BasicModel):
    """Two ways with curves that are known: the first is best late, the second early."""

    name = "known"

    @property
    def settled(self) -> bool:
        return False

    def paths(self, train: Sample, held: Sample, *, schema: Schema, seed: int) -> Iterator[FitPath]:
        for way, curve in enumerate(([3.0, 2.0, 1.0], [0.5, 4.0])):
            yield FitPath(np.array(curve) + seed, held.mass, lambda step, way=way: self._at(way, step))

    def _at(self, way: int, step: int) -> FittedBasic:
        rebuilt = {"way": way, "step": step}
        return FittedBasic("known", "regression", 1, None, np.array([way + 0.1 * step]), (), {}, rebuilt)

    def whole(self, train: Sample, *, schema: Schema, seed: int) -> Any:
        raise NotImplementedError

    @classmethod
    def seconds(cls, rows: int, columns: int, outputs: int) -> float:
        return 0.0


def test_way_and_step_are_chosen_by_the_pooled_loss(kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("regression", rows=40)
    found = cross_fit(Known(), Sample(rows, target), kit.folds_of(40), schema=schema)
    assert found is not None
    assert (found.chosen, found.tried) == ({"way": 1, "step": 0}, 2)
    assert found.loss == pytest.approx(0.5 + np.mean([0, 1, 2, 3]))
    np.testing.assert_allclose(found.answers, 1.0)


def test_a_fold_that_stopped_keeps_its_last_loss_and_mass_weighs() -> None:
    paths = [FitPath(np.array([3.0, 1.0]), 3.0, Known()._at), FitPath(np.array([1.0]), 1.0, Known()._at)]  # type: ignore[arg-type]
    np.testing.assert_allclose(pooled(paths), [2.5, 1.0])


def test_the_clock_ends_it_between_ways_or_gives_nothing(kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("regression", rows=40)
    sample, folds = Sample(rows, target), kit.folds_of(40)
    assert cross_fit(Known(), sample, folds, schema=schema, until=time.monotonic() - 1) is None


@pytest.mark.parametrize("name", ANY_TABLE)
def test_what_was_chosen_is_cross_fitted_as_it_is(name: str, kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("binary", rows=120)
    more = kit.inputs(name, schema)
    first = kit.cheap(name).fit(rows, target, schema=schema, valid=(rows, target), inputs=more)
    settled = BASIC[name](**first.rebuilt)
    found = cross_fit(settled, Sample(rows, target), kit.folds_of(120, 3), schema=schema, inputs=lambda _: more)
    assert found is not None
    assert (found.tried, found.chosen) == (1, first.rebuilt)


def test_a_fold_of_one_class_is_refused(kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("binary", rows=40)
    index = np.arange(40)
    folds = [(index[target == 0], index[target == 1])]
    with pytest.raises(DataError, match="one class only"):
        cross_fit(kit.cheap("Linear"), Sample(rows, target), folds, schema=schema)


def test_the_clock_ends_all_folds_at_about_one_step_and_it_can_be_done_again_without(kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("binary", rows=2000)
    sample, folds = Sample(rows, target), kit.folds_of(2000)
    slow = BASIC["Boosting"](most_trees=4000, patience=4000, leaves=31)
    began = time.monotonic()
    found = cross_fit(slow, sample, folds, schema=schema, seed=3, until=began + 2.0)
    assert time.monotonic() - began < 20.0
    assert found is not None
    assert found.tried == 1
    assert found.again is not None
    assert found.again["most_trees"] < 4000
    again = cross_fit(BASIC["Boosting"](**found.again), sample, folds, schema=schema, seed=3)
    assert again is not None
    assert again.again is None
    np.testing.assert_array_equal(again.answers, found.answers)
    assert again.chosen == found.chosen


def test_what_no_clock_ended_is_as_it_was_asked_for(kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("binary", rows=200)
    found = cross_fit(kit.cheap("Boosting"), Sample(rows, target), kit.folds_of(200), schema=schema)
    assert found is not None
    assert (found.tried, found.again) == (2, None)


def test_steps_that_a_fold_did_not_reach_are_not_chosen() -> None:
    late = FitPath(np.array([3.0, 2.0, 1.0]), 1.0, Known()._at)  # type: ignore[arg-type]
    ended = FitPath(np.array([3.0, 2.0]), 1.0, Known()._at, ended=True)  # type: ignore[arg-type]
    np.testing.assert_allclose(pooled([late, ended]), [3.0, 2.0])
