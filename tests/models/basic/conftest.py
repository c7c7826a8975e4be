"""One small mixed table that the tests of this room share."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from temperance.models.basic import BASIC
from temperance.records.schema import Column, Rows, Schema, Target, Task

CHEAP: dict[str, dict[str, Any]] = {
    "Boosting": {"most_trees": 60, "tries": 2, "patience": 10},
    "LightGBM": {"most_trees": 100},
    "CatBoost": {"most_trees": 80, "depth": 4},
    "ExtraTrees": {"trees": 20},
    "Outside": {"origin": "sklearn.naive_bayes:GaussianNB"},
}


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


class Counted:
    """Stands for blocks: a further number, and the numbers and codes again as wide ones."""

    def __init__(self, schema: Schema) -> None:
        self.widened = Schema((*schema.numeric, Column("more", "numeric"), *schema.categorical), schema.target)

    def rows(self, rows: Rows) -> Rows:
        return rows._replace(numeric=np.concatenate([rows.numeric, np.ones((rows.size, 1))], axis=1))

    def wide(self, rows: Rows) -> NDArray[np.float64]:
        return np.concatenate([np.nan_to_num(rows.numeric), rows.categorical == np.arange(4)], axis=1)


def inputs(name: str, schema: Schema) -> Counted | None:
    """Return what widens rows for a model that needs it."""
    return Counted(schema) if BASIC[name].takes_wide else None


def halves(rows: Rows, target: NDArray[Any]) -> tuple[Rows, NDArray[Any], tuple[Rows, NDArray[Any]]]:
    return rows.take(slice(0, 300)), target[:300], (rows.take(slice(300, None)), target[300:])


def cheap(name: str, task: Task = "binary") -> Any:
    """Return a basic model that fits fast, or skip where its package is absent."""
    if BASIC[name].absent():
        pytest.skip(BASIC[name].absent())
    settings = dict(CHEAP.get(name, {}))
    if name == "Outside" and task == "regression":
        settings["origin"] = "sklearn.linear_model:Ridge"
    return BASIC[name](**settings)


def folds_of(count: int, folds: int = 4) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    index = np.arange(count)
    return [(index[index % folds != i], index[index % folds == i]) for i in range(folds)]


@pytest.fixture(scope="session")
def kit() -> SimpleNamespace:
    """What tests make tables and models with."""
    return SimpleNamespace(made=made, halves=halves, cheap=cheap, folds_of=folds_of, inputs=inputs)
