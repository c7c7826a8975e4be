"""A made-up look into a model, as ``winner.insight`` of ``study.json`` has it, for tests of whatever reads one."""

from __future__ import annotations

from typing import Any

import numpy as np

from temperance.evaluation.base import Outcome
from temperance.evaluation.insight import insight
from temperance.records.schema import Column, Rows, Schema, Target, Task
from temperance.records.table import Table

CLASSES = {"binary": ("no", "yes"), "multiclass": ("red", "green", "blue"), "regression": ()}


class _Law:
    """A model that knows the law behind the rows."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def predict(self, rows: Rows) -> Any:
        value = rows.numeric[:, 0] / 20 + rows.numeric[:, 1] / 40_000 + 0.5 * (rows.categorical[:, 0] == 1) - 3
        if self.schema.target.task == "regression":
            return 50 + 20 * value
        parts = np.exp(np.stack([k * value for k in range(len(self.schema.target.classes))], axis=1))
        return parts / parts.sum(axis=1, keepdims=True)


def insight_example(task: Task = "binary", *, rows: int = 200) -> dict[str, Any]:
    """Return what ``evaluation.insight`` finds of a small made-up model; ``task`` as in ``study_example``."""
    generator = np.random.default_rng(0)
    columns = (
        Column("age", "numeric", "age"),
        Column("income", "numeric", "income"),
        Column("signup_days", "numeric", "signup", "days"),
        Column("plan", "categorical", "plan", "", ("basic", "pro")),
    )
    schema = Schema(columns, Target("churned", task, CLASSES[task]))
    numeric = generator.normal([45, 38_000, 19_000], [12, 15_000, 300], size=(rows, 3))
    model = _Law(schema)
    inputs = Rows(numeric, generator.integers(2, size=(rows, 1)).astype(np.int32))
    answers = model.predict(inputs)
    if task == "regression":
        truth = answers + generator.normal(0, 8, size=rows)
    else:
        truth = (answers.cumsum(axis=1) < generator.random((rows, 1))).sum(axis=1)
    seen = Outcome(answers, truth, task)
    made = insight(model, Table(schema, inputs, truth), np.arange(rows), seen).to_dict()
    return {**made, "seconds": 0.1}
