from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from temperance.models.basic import FLOOR, Boosting, Sample
from temperance.models.basic.boosting import LADDER


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
    assert len(paths) == len(LADDER)
    best = min(paths, key=lambda path: path.curve.min())
    fitted = model.fit(train, labels, schema=schema, valid=valid)
    assert fitted.rebuilt["leaves"] == best.at(0).rebuilt["leaves"]
    assert fitted.rebuilt["most_trees"] == best.curve.argmin() + 1
