from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from temperance.models import BASIC, Boosting, Linear, Majority
from temperance.models.basic import FLOOR, LinearMatrix, TreeMatrix
from temperance.records.errors import DataError
from temperance.records.schema import MISSING, UNSEEN, Column, Rows, Schema, Target, Task


def made(task: Task, rows: int = 400, seed: int = 0) -> tuple[Rows, NDArray[Any], Schema]:
    draw = np.random.default_rng(seed)
    numbers = draw.normal(size=(rows, 3))
    codes = draw.integers(0, 4, size=(rows, 1)).astype(np.int32)
    signal = numbers[:, 0] + 2.0 * (codes[:, 0] == 2) + 0.1 * draw.normal(size=rows)
    numbers[draw.random(rows) < 0.1, 1] = np.nan
    target = signal if task == "regression" else (signal > 0.5).astype(np.int64)
    classes = () if task == "regression" else ("no", "yes", "never") if task == "multiclass" else ("no", "yes")
    columns = (
        *(Column(f"x{j}", "numeric") for j in range(3)),
        Column("c", "categorical", vocabulary=("a", "b", "c", "d")),
    )
    return Rows(numbers, codes), target, Schema(columns, Target("y", task, classes))


def halves(rows: Rows, target: NDArray[Any]) -> tuple[Rows, NDArray[Any], tuple[Rows, NDArray[Any]]]:
    return rows.take(slice(0, 300)), target[:300], (rows.take(slice(300, None)), target[300:])


@pytest.mark.parametrize("name", list(BASIC))
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_basic_model_answers_in_the_agreed_shape(name: str, task: Task) -> None:
    rows, target, schema = made(task)
    train, labels, valid = halves(rows, target)
    fitted = BASIC[name]().fit(train, labels, schema=schema, valid=valid)
    strange = Rows(np.full((2, 3), np.nan), np.array([[MISSING], [UNSEEN]], dtype=np.int32))
    answers = fitted.predict(strange)
    assert np.isfinite(answers).all()
    if task == "regression":
        assert answers.shape == (2,)
    else:
        assert answers.shape == (2, schema.target.outputs)
        np.testing.assert_allclose(answers.sum(1), 1)
        assert answers.min() > 0  # a class that training never saw keeps a small share


def test_majority_is_the_mean_and_the_shares() -> None:
    rows, target, schema = made("regression")
    fitted = Majority().fit(rows, target, schema=schema, valid=(rows, target))
    assert fitted.predict(rows.take([0]))[0] == pytest.approx(target.mean())
    rows, target, schema = made("binary")
    shares = Majority().fit(rows, target, schema=schema, valid=(rows, target)).predict(rows.take([0, 1]))
    np.testing.assert_allclose(shares[0], (np.bincount(target) + 1) / 402)


def test_linear_and_boosting_beat_the_majority() -> None:
    for task in ("binary", "regression"):
        rows, target, schema = made(task)  # type: ignore[arg-type]
        train, labels, valid = halves(rows, target)
        losses = []
        for model in (Majority(), Linear(), Boosting()):
            answers = model.fit(train, labels, schema=schema, valid=valid).predict(valid[0])
            wrong = answers - valid[1] if task == "regression" else 1 - answers[np.arange(100), valid[1]]
            losses.append(float(np.mean(wrong**2)))
        assert max(losses[1:]) < 0.5 * losses[0]


def test_the_linear_matrix_by_hand() -> None:
    rows = Rows(np.array([[1.0, 5.0], [3.0, 5.0], [np.nan, 5.0]]), np.array([[0], [1], [UNSEEN]], dtype=np.int32))
    columns = (Column("a", "numeric"), Column("b", "numeric"), Column("c", "categorical", vocabulary=("u", "v")))
    matrix = LinearMatrix.fit(rows, Schema(columns, Target("y", "regression")))
    assert matrix.median.tolist() == [2.0, 5.0]
    step = 1 / np.std([1.0, 3.0, 2.0])
    expected = [[-step, 0, 0, 1, 0], [step, 0, 0, 0, 1], [0, 0, 1, 0, 0]]  # a, b (constant), a missing?, u, v
    np.testing.assert_allclose(matrix.of(rows), expected, atol=1e-12)


def test_ridge_equals_scikit_learn_on_the_stated_matrix() -> None:
    rows, target, schema = made("regression")
    train, labels, valid = halves(rows, target)
    fitted = Linear(grid=(0.01,)).fit(train, labels, schema=schema, valid=valid)
    matrix = LinearMatrix.fit(train, schema)
    own = Ridge(alpha=3.0).fit(matrix.of(train), labels)
    np.testing.assert_allclose(fitted.predict(valid[0]), own.predict(matrix.of(valid[0])))


def test_the_validation_rows_choose_the_penalty() -> None:
    rows, target, schema = made("regression")
    train, labels, valid = halves(rows, target)
    assert Linear().fit(train, labels, schema=schema, valid=valid).settings["penalty"] < 0.1
    noise = np.random.default_rng(1).normal(size=30)
    chosen = Linear(grid=(1e-5, 10.0)).fit(rows.take(slice(0, 30)), noise, schema=schema, valid=valid)
    assert chosen.settings["penalty"] in {1e-5, 10.0}


def test_the_tree_matrix_keeps_gaps_and_marks_categories() -> None:
    rows, _, schema = made("binary")
    matrix = TreeMatrix.fit(schema)
    assert matrix.as_category == (3,)
    strange = rows.take([0])._replace(categorical=np.array([[UNSEEN]], dtype=np.int32))
    assert np.isnan(matrix.of(strange)[0, 3])
    long = Column("c", "categorical", vocabulary=tuple(str(i) for i in range(256)))
    assert TreeMatrix.fit(Schema((*schema.columns[:3], long), schema.target)).as_category == ()


def test_boosting_stops_early_and_is_deterministic() -> None:
    rows, target, schema = made("binary")
    train, labels, valid = halves(rows, target)
    first, again = (Boosting().fit(train, labels, schema=schema, valid=valid, seed=1) for _ in range(2))
    assert first.settings["trees"] < 1000
    np.testing.assert_array_equal(first.predict(rows), again.predict(rows))
    assert first.predict(rows).min() >= FLOOR / 2


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


def test_boosting_on_images_one_class_and_empty_choices_are_refused() -> None:
    rows, target, schema = made("binary")
    pictures = rows._replace(images=np.zeros((rows.size, 2, 2, 1), np.uint8))
    with pytest.raises(DataError, match="images"):
        Boosting().fit(pictures, target, schema=schema, valid=(rows, target))
    for model in (Linear(), Boosting()):
        with pytest.raises(DataError, match="one class only"):
            model.fit(rows, np.zeros_like(target), schema=schema, valid=(rows, target))
    with pytest.raises(DataError, match="grid"):
        Linear(grid=()).fit(rows, target, schema=schema, valid=(rows, target))
    with pytest.raises(DataError, match="validation row"):
        Boosting().fit(rows, target, schema=schema, valid=(rows, target + 2))
