from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from temperance.models.basic import CatBoost, Sample

pytest.importorskip("catboost")


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_each_step_of_a_path_is_the_model_with_so_many_trees(task: str, kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made(task)
    if task == "multiclass":
        target = np.where(rows.numeric[:, 2] > 1, 2, target)
    train, labels, valid = kit.halves(rows, target)
    held = Sample(*valid)
    (path,) = CatBoost(most_trees=12, depth=3).paths(Sample(train, labels), held, schema=schema, seed=0)
    for step in (0, len(path.curve) - 1):
        assert path.at(step).settings["trees"] == step + 1
        assert np.isclose(path.curve[step], path.at(step).loss(held), rtol=1e-4)


def test_the_same_seed_gives_the_same_trees(kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("binary")
    model = CatBoost(most_trees=9, depth=3)
    first, again = (model.fit(rows, target, schema=schema, valid=None, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first.predict(rows), again.predict(rows))
