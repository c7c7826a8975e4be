from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from temperance.models.basic import ExtraTrees, Sample
from temperance.models.basic import forest as room


def test_each_size_of_leaf_is_one_path(kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("binary")
    train, labels, valid = kit.halves(rows, target)
    model = ExtraTrees(trees=20, least_rows=(2, 30))
    paths = list(model.paths(Sample(train, labels), Sample(*valid), schema=schema, seed=0))
    assert [path.at(0).settings["least_rows"] for path in paths] == [2.0, 30.0]
    chosen = model.fit(train, labels, schema=schema, valid=valid)
    assert chosen.rebuilt["least_rows"] == ((2,) if paths[0].curve[0] <= paths[1].curve[0] else (30,))
    assert chosen.predict(rows).min() >= 0.5 / (300 + 2)


def test_all_trees_together_stay_within_the_leaves_of_a_bundle(
    kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_LEAVES", 200)
    rows, target, schema = kit.made("regression")
    fitted = ExtraTrees(trees=20).fit(rows, target, schema=schema, valid=None)
    assert fitted.settings["least_rows"] == 20
    leaves = sum(tree.tree_.n_leaves for tree in fitted.model.estimators_)
    assert leaves <= 400
    assert np.isfinite(fitted.predict(rows)).all()
