"""The linear model on words."""

from __future__ import annotations

import numpy as np
import pytest

from temperance.data.blocks import Blocks, fit_blocks
from temperance.models.basic import Sample, Wide, cross_fit
from temperance.models.basic.wide import OneVsRest
from temperance.records.errors import DataError
from temperance.records.schema import Column, Rows, Schema, Target, Task

TOPICS = (("sun", "rain", "wind"), ("bank", "loan", "fund"), ("cat", "dog", "bird"))


def problem(task: Task, rows: int = 240) -> tuple[Rows, np.ndarray, Schema]:
    rng = np.random.default_rng(0)
    kinds = 3 if task == "multiclass" else 2
    topic = rng.integers(0, kinds, rows)
    texts = np.empty((rows, 1), dtype=object)
    texts[:, 0] = [" ".join([*rng.choice(TOPICS[k], 2), *rng.choice(["the", "and", "of", "it"], 4)]) for k in topic]
    number = rng.normal(size=(rows, 1))
    target = topic + 2.0 * number[:, 0] if task == "regression" else topic
    columns = (Column("a", "numeric"), Column("msg", "text"))
    classes = () if task == "regression" else ("a", "b", "c")[:kinds]
    return Rows(number, np.empty((rows, 0), np.int32), text=texts), target, Schema(columns, Target("y", task, classes))


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_it_learns_from_words_and_numbers(task: Task) -> None:
    rows, target, schema = problem(task)
    index = np.arange(240)
    folds = [(index[index % 3 != k], index[index % 3 == k]) for k in range(3)]
    found = cross_fit(
        Wide(), Sample(rows, target), folds, schema=schema,
        inputs=lambda train: Blocks(fit_blocks(rows.take(train), schema), schema),
    )  # fmt: skip
    assert found is not None
    assert np.isfinite(found.answers).all()
    assert found.loss < (0.2 if task != "regression" else 0.1 * target.var())
    for member, (_, held) in zip(found.members, folds, strict=True):  # the members read raw rows
        np.testing.assert_array_equal(member.predict(rows.take(held)), found.answers[held])


def test_several_classes_are_each_told_from_the_rest() -> None:
    rows, target, schema = problem("multiclass")
    blocks = Blocks(fit_blocks(rows, schema), schema)
    fitted = Wide(grid=(1e-4,)).fit(rows, target, schema=schema, valid=None, inputs=blocks)
    assert isinstance(fitted.model, OneVsRest)
    answers = fitted.predict(rows)
    np.testing.assert_allclose(answers.sum(axis=1), 1)
    assert (answers.argmax(axis=1) == target).mean() > 0.95


def test_rows_without_text_are_refused() -> None:
    rows, target, schema = problem("binary")
    with pytest.raises(DataError, match="rows without text"):
        Wide().fit(rows, target, schema=schema, valid=None)


def test_an_empty_grid_is_refused() -> None:
    with pytest.raises(DataError, match="at least one penalty"):
        Wide(grid=())
