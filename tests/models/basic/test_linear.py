from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from temperance.models.basic import Linear, LinearMatrix, Sample
from temperance.records.errors import DataError
from temperance.records.schema import Column, Rows, Schema, Target, Task


def test_ridge_equals_scikit_learn_on_the_stated_matrix(kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("regression")
    train, labels, valid = kit.halves(rows, target)
    fitted = Linear(grid=(0.01,)).fit(train, labels, schema=schema, valid=valid)
    matrix = LinearMatrix.fit(train, schema)
    own = Ridge(alpha=3.0).fit(matrix.of(train), labels)
    np.testing.assert_allclose(fitted.predict(valid[0]), own.predict(matrix.of(valid[0])))


def test_the_path_starts_each_fit_at_the_last_and_ends_where_it_should(kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("binary")
    train, labels, valid = kit.halves(rows, target)
    model = Linear(grid=(1e-3, 1.0, 1e-1))
    (path,) = model.paths(Sample(train, labels), Sample(*valid), schema=schema, seed=0)
    assert [path.at(i).settings["penalty"] for i in range(3)] == [1.0, 1e-1, 1e-3]  # strong to weak
    matrix = LinearMatrix.fit(train, schema)
    own = LogisticRegression(C=1 / (1e-3 * 300), max_iter=2000, tol=1e-8).fit(matrix.of(train), labels)
    np.testing.assert_allclose(path.at(2).predict(valid[0]), own.predict_proba(matrix.of(valid[0])), atol=0.02)


def test_few_rows_and_many_columns_of_noise_want_a_strong_penalty() -> None:
    draw = np.random.default_rng(0)
    rows = Rows(draw.normal(size=(80, 60)), np.empty((80, 0), dtype=np.int32))
    target = (rows.numeric[:, 0] + 2 * draw.normal(size=80) > 0).astype(np.int64)
    schema = Schema(tuple(Column(f"x{j}", "numeric") for j in range(60)), Target("y", "binary", ("a", "b")))
    held = Sample(rows.take(slice(50, 80)), target[50:])
    fitted = Linear().fit(rows.take(slice(0, 50)), target[:50], schema=schema, valid=held)
    assert fitted.settings["penalty"] >= 0.1
    assert fitted.loss(held) < 0.8


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_linear_learns_from_images(task: Task) -> None:
    draw = np.random.default_rng(3)
    light = draw.integers(0, 3, 120)
    images = (draw.integers(0, 60, (120, 20, 18, 3)) + 40 * light[:, None, None, None]).astype(np.uint8)
    rows = Rows(np.empty((120, 0)), np.empty((120, 0), dtype=np.int32), images)
    target = light * 1.5 if task == "regression" else np.minimum(light, 1 if task == "binary" else 2)
    classes = {"binary": ("a", "b"), "multiclass": ("a", "b", "c"), "regression": ()}[task]
    schema = Schema((), Target("y", task, classes), "images", (20, 18, 3))
    fitted = Linear(most_rows=60).fit(rows, target, schema=schema, valid=(rows, target), seed=4)
    again = Linear(most_rows=60).fit(rows, target, schema=schema, valid=(rows, target), seed=4)
    answers = fitted.predict(rows)
    assert answers.tobytes() == again.predict(rows).tobytes()
    assert fitted.model.coef_.shape[-1] == 16 * 16 * 3
    if task == "regression":
        assert np.abs(answers - target).mean() < 0.2
    else:
        assert (answers.argmax(axis=1) == target).mean() > 0.95


def test_an_empty_grid_is_refused() -> None:
    with pytest.raises(DataError, match="grid"):
        Linear(grid=())
