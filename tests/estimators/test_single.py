"""One net, in this process."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from temperance import Recipe
from temperance.data import read
from temperance.estimators.single import Single, default_recipe
from temperance.models import training_for
from temperance.records.errors import StudyError
from temperance.records.predictor import Predictor


def test_defaults_suit_task_and_rows() -> None:
    spec = Single(seed=4).spec("binary", 500)
    usual = training_for("Tabular", "binary", 500)
    assert spec.settings["epochs"] == usual.epochs
    assert spec.settings["lr"] == usual.lr
    assert spec.recipe == default_recipe("binary").to_dict()
    assert (spec.seed, spec.adaptive) == (4, False)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_default_recipe_regularizes(task: str) -> None:
    recipe = default_recipe(task)  # type: ignore[arg-type]
    assert {type(one).__name__ for one in recipe.regularizers} == {"WeightDecay", "Dropout"}
    assert isinstance(recipe, Recipe)


def test_training_gives_a_predictor_and_leaves_threads_alone(data: SimpleNamespace) -> None:
    table = read((data.X, data.values), task="regression").table
    before = torch.get_num_threads()
    predictor, row = Single(epochs=1, net="plain").train(table)
    assert torch.get_num_threads() == before
    assert isinstance(predictor, Predictor)
    assert np.isfinite(predictor.predict(table.rows)).all()
    assert row["status"] == "done"
    assert row["epochs"] == pytest.approx(1.0)


@pytest.mark.filterwarnings("ignore:The weights that finish")
def test_a_net_that_blew_up_is_an_error(data: SimpleNamespace) -> None:
    table = read((data.X, data.values), task="regression").table
    with pytest.raises(StudyError, match="not numbers"):
        Single(epochs=2, net="plain", learning_rate=1e9).train(table)
