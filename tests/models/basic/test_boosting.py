from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from temperance.models.basic import FLOOR, Boosting, Sample
from temperance.models.basic.boosting import LADDER, USUAL


def test_boosting_stops_early_and_is_deterministic(kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("binary")
    train, labels, valid = kit.halves(rows, target)
    model = Boosting(tries=1)
    first, again = (model.fit(train, labels, schema=schema, valid=valid, seed=1) for _ in range(2))
    assert first.settings["trees"] < model.most_trees
    np.testing.assert_array_equal(first.predict(rows), again.predict(rows))
    assert first.predict(rows).min() >= FLOOR / 2


def test_each_step_of_a_path_is_the_model_with_so_many_trees(kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("regression")
    train, labels, valid = kit.halves(rows, target)
    held = Sample(*valid)
    (path,) = Boosting(most_trees=15, tries=1).paths(Sample(train, labels), held, schema=schema, seed=0)
    assert len(path.curve) == 15
    for step in (0, 7, 14):
        assert path.at(step).settings["trees"] == step + 1
        assert np.isclose(2 * path.curve[step], path.at(step).loss(held))  # scikit-learn's loss is half of ours


def test_the_ladder_is_tried_in_order_and_the_best_is_taken(kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("binary")
    train, labels, valid = kit.halves(rows, target)
    model = Boosting(most_trees=40)
    paths = list(model.paths(Sample(train, labels), Sample(*valid), schema=schema, seed=0))
    assert len(paths) == USUAL < len(LADDER)
    best = min(paths, key=lambda path: path.curve.min())
    fitted = model.fit(train, labels, schema=schema, valid=valid)
    assert fitted.rebuilt["leaves"] == best.at(0).rebuilt["leaves"]
    assert fitted.rebuilt["most_trees"] == best.curve.argmin() + 1


def test_a_fit_ends_at_the_moment_it_is_given_and_says_so(kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("binary")
    train, labels, valid = kit.halves(rows, target)
    model = Boosting(tries=1, most_trees=40, patience=40)
    (whole,) = model.paths(Sample(train, labels), Sample(*valid), schema=schema, seed=0)
    (cut,) = model.paths(Sample(train, labels), Sample(*valid), schema=schema, seed=0, until=lambda: 0.0)
    assert (len(whole.curve), whole.ended) == (40, False)
    assert len(cut.curve) < 40
    assert cut.ended
    np.testing.assert_array_equal(cut.curve, whole.curve[: len(cut.curve)])
    assert type(cut.at(0).model).__module__.startswith("sklearn.")  # nothing of ours is kept or exported


def test_a_small_loss_is_not_taken_for_no_gain(kit: SimpleNamespace) -> None:
    rows, _, schema = kit.made("regression")
    exact = 3.0 * rows.numeric[:, 0]
    train, values, valid = kit.halves(rows, exact)
    model = Boosting(tries=1, features=1.0, leaves=8, most_trees=300, patience=10)
    (path,) = model.paths(Sample(train, values), Sample(*valid), schema=schema, seed=0)
    gain = path.curve[-1 - model.patience] - path.curve[-1]
    assert gain < 1e-4 * np.var(values) / 2  # less than the share of the variance at which it used to end
    assert path.curve[-1] < 0.01 * np.var(values)


def test_later_settings_can_be_tried_alone(kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("binary")
    train, labels, valid = kit.halves(rows, target)
    model = Boosting(most_trees=5, first=2, tries=2)
    paths = list(model.paths(Sample(train, labels), Sample(*valid), schema=schema, seed=0))
    assert [path.at(0).rebuilt["leaves"] for path in paths] == [{"leaves": 16, **row}["leaves"] for row in LADDER[2:4]]
    assert all((path.at(0).rebuilt["first"], path.at(0).rebuilt["tries"]) == (0, 1) for path in paths)
