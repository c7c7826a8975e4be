"""What every basic model keeps."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from temperance.models.basic import BASIC, FLOOR, Boosting, Linear, Majority, Sample
from temperance.models.basic.base import seen, spread, thinned
from temperance.records.errors import DataError
from temperance.records.schema import MISSING, UNSEEN, Rows, Task

# the forecasts without learning need earlier values of the target: test_persistence.py
ANY_TABLE = [name for name in BASIC if "Persistence" not in name]


@pytest.mark.parametrize("name", ANY_TABLE)
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_basic_model_answers_in_the_agreed_shape(name: str, task: Task, kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made(task)
    train, labels, valid = kit.halves(rows, target)
    more = kit.inputs(name, schema)
    fitted = kit.cheap(name, task).fit(train, labels, schema=schema, valid=valid, inputs=more)
    strange = Rows(np.full((2, 3), np.nan), np.array([[MISSING], [UNSEEN]], dtype=np.int32))
    answers = fitted.predict(strange)
    assert np.isfinite(answers).all()
    assert fitted.parameters > 0
    if task == "regression":
        assert answers.shape == (2,)
    else:
        assert answers.shape == (2, schema.target.outputs)
        np.testing.assert_allclose(answers.sum(1), 1)
        assert answers.min() > 0  # a class that training never saw keeps a small share


@pytest.mark.parametrize("name", ANY_TABLE)
def test_what_was_chosen_is_rebuilt_with_nothing_left_to_choose(name: str, kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("binary")
    train, labels, valid = kit.halves(rows, target)
    more = kit.inputs(name, schema)
    fitted = kit.cheap(name).fit(train, labels, schema=schema, valid=valid, seed=3, inputs=more)
    again = BASIC[name](**fitted.rebuilt)
    assert again.settled
    refit = again.fit(train, labels, schema=schema, valid=None, seed=3, inputs=more)
    # a linear fit from other starting weights ends within its tolerance
    close = 0.02 if name in ("Linear", "Wide") else 1e-9
    np.testing.assert_allclose(refit.predict(valid[0]), fitted.predict(valid[0]), atol=close)


@pytest.mark.parametrize("name", ANY_TABLE)
def test_weights_count_like_copies_of_a_row(name: str, kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("binary")
    model = kit.cheap(name)
    heavy = np.where(target == 1, 9.0, 1.0)
    more = kit.inputs(name, schema)
    lifted = model.fit(rows, target, schema=schema, valid=None, weight=heavy, inputs=more)
    plain = model.fit(rows, target, schema=schema, valid=None, inputs=more)
    assert lifted.predict(rows)[:, 1].mean() > plain.predict(rows)[:, 1].mean() + (0.0 if name == "Outside" else 0.001)


@pytest.mark.parametrize("name", ANY_TABLE)
def test_the_predicted_seconds_grow_with_the_data(name: str) -> None:
    cls = BASIC[name]
    few, more = cls.seconds(500, 10, 2), cls.seconds(50_000, 40, 10)
    assert 0 < few <= more
    assert few < 5


def test_linear_and_boosting_beat_the_majority(kit: SimpleNamespace) -> None:
    for task in ("binary", "regression"):
        rows, target, schema = kit.made(task)
        train, labels, valid = kit.halves(rows, target)
        held = Sample(*valid)
        models = (Majority(), Linear(), Boosting())
        losses = [model.fit(train, labels, schema=schema, valid=valid).loss(held) for model in models]
        assert max(losses[1:]) < 0.5 * losses[0]


def test_an_absent_package_is_said_and_never_crashes(kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("temperance.models.basic.base.find_spec", lambda name: None)
    rows, target, schema = kit.made("binary")
    assert BASIC["Boosting"].absent() == ""
    assert "pip install temperance[boosting]" in BASIC["LightGBM"].absent()
    with pytest.raises(DataError, match="lightgbm installed"):
        BASIC["LightGBM"]().fit(rows, target, schema=schema, valid=None)


def test_images_one_class_and_strange_held_rows_are_refused(kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("binary")
    pictures = rows._replace(images=np.zeros((rows.size, 2, 2, 1), np.uint8))
    with pytest.raises(DataError, match="images"):
        Boosting().fit(pictures, target, schema=schema, valid=(rows, target))
    for model in (Linear(), Boosting()):
        with pytest.raises(DataError, match="one class only"):
            model.fit(rows, np.zeros_like(target), schema=schema, valid=(rows, target))
    with pytest.raises(DataError, match="validation row"):
        Boosting().fit(rows, target, schema=schema, valid=(rows, target + 2))


def test_held_rows_of_unknown_classes_are_left_out(kit: SimpleNamespace) -> None:
    rows, target, _ = kit.made("binary")
    held = Sample(rows, target, np.ones(len(target)))
    assert seen(held, np.array([1, 1]), "multiclass").mass == target.sum()
    assert seen(held, target, "binary") is held


def test_shares_are_spread_over_all_classes() -> None:
    full = spread(np.array([[0.0, 1.0]]), (0, 2), 3)
    np.testing.assert_allclose(full, [[FLOOR, FLOOR, 1.0]], rtol=1e-5)
    assert full.sum() == pytest.approx(1)


def test_thinning_draws_rows_by_the_seed(kit: SimpleNamespace) -> None:
    rows, target, _ = kit.made("binary")
    sample = Sample(rows, target)
    assert thinned(sample, 1000, 0) is sample
    first, again = thinned(sample, 50, 1), thinned(sample, 50, 1)
    assert first.size == 50
    np.testing.assert_array_equal(first.rows.numeric, again.rows.numeric)


def test_the_loss_is_weighted(kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("regression")
    fitted = Majority().fit(rows, target, schema=schema, valid=None)
    weight = np.arange(len(target), dtype=float)
    assert fitted.loss(Sample(rows, target, weight)) == pytest.approx(
        np.average((target - target.mean()) ** 2, weights=weight)
    )
