"""A complete study.json of schema 1, and tables, for the tests of the governance room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from temperance.audit.context import Context
from temperance.records.finding import Finding
from temperance.records.measurement import Measurement
from temperance.records.roles import Roles
from temperance.records.schema import Column, Rows, Schema, Target
from temperance.records.table import Table


def measured(name: str, value: float) -> dict[str, Any]:
    return Measurement(name, value, value - 0.02, value + 0.02, 400).to_dict()


def full_study() -> dict[str, Any]:
    """Return a study as the contract of schema 1 has it."""
    schema = Schema(
        (Column("age", "numeric", low=17, high=90), Column("city", "categorical", vocabulary=("Bonn", "Kiel"))),
        Target("churned", "binary", ("no", "yes")),
        ignored=("customer_id",),
    )
    finding = Finding(
        "leaks:age",
        "leaks",
        "look_at_this",
        "Column 'age' alone comes close.",
        confidence={"self_test": "Found 3 of 3."},
    )
    people = Finding("personal_data", "personal_data", "no_problem_found", "No column looks like contact data.")
    trial = {
        "id": "t003",
        "name": "dropout 0.1",
        "model": "mlp",
        "recipe_text": "Recipe(Dropout(0.1))",
        "explanation": "Drops one unit in ten while it learns.",
        "cost": {"parameters": 12345},
    }
    return {
        "schema": 1,
        "temperance": "0.1.0",
        "versions": {"python": "3.11", "torch": "2.13.0"},
        "created": "2026-11-23T20:00:00Z",
        "command": "temperance study churn.csv --target churned",
        "seed": 0,
        "status": "complete",
        "data": {
            "name": "churn",
            "sha256": "ab" * 32,
            "rows": 4200,
            "target": "churned",
            "task": "binary",
            "classes": ["no", "yes"],
            "schema": schema.to_dict(),
            "dropped": [
                {"rows": 3, "column": None, "why": "no answer"}, {"rows": None, "column": "k", "why": "constant"}],
            "notes": ["dates were read as days"],
            "profile": {
                "columns": [
                    {"name": "age", "kind": "numeric", "missing": 5, "unique": 70, "low": 17, "high": 90, "mean": 40.5},
                    {"name": "city", "kind": "categorical", "missing": 0, "unique": 2,
                     "top": [["Bonn", 3000], ["Kiel", 1200]]},
                    {"name": "churned", "kind": "categorical", "missing": 0, "unique": 2,
                     "top": [["no", 3150], ["yes", 1050]]},
                ]
            },
            "licence": "CC-BY-4.0",
        },
        "roles": {"scheme": "70/10/10/10 at random.", "counts": {"train": 2940, "test": 840}},
        "budget": {"spent": {"total": 61.5}},
        "trials": [trial],
        "winner": {
            "trial": "t003",
            "why": "It is right most often.",
            "test": {"accuracy": measured("accuracy", 0.912), "log_loss": measured("log_loss", 0.31)},
            "simple_test": {"name": "majority", "measurements": {"accuracy": measured("accuracy", 0.75)}},
            "plain_test": {"measurements": {"accuracy": measured("accuracy", 0.9)}},
            "boosting_test": None,
            "bought": [
                {"metric": "log_loss", "difference": measured("log_loss", -0.05), "cost_ratio": 1.2,
                 "sentence": "Better."}
            ],
            "robustness": [{"family": "noise", "severity": 1, "measurement": measured("accuracy", 0.9)}],
            "slices": [
                {"column": "city", "value": "Kiel", "n": 120, "state": "worse",
                 "measurement": measured("accuracy", 0.8),
                 "difference": measured("accuracy", -0.1)},
                {"column": "city", "value": "Ulm", "n": 4, "state": "too_small"},
            ],
            "cost": {"seconds": 3.2, "latency_1_ms": 0.1, "latency_256_ms": 1.0, "bytes": 10000},
        },
        "findings": [people.to_dict(), finding.to_dict()],
        "limits": ["Tested on one file only."],
        "citations": ["Srivastava et al. (2014). Dropout."],
    }  # fmt: skip


@pytest.fixture
def study() -> dict[str, Any]:
    return full_study()


@pytest.fixture(scope="session")
def make_context() -> Callable[..., Context]:
    """Return a context of categorical columns (name → values) and numeric ones (name → numbers)."""

    def make(words: dict[str, Any], numbers: dict[str, Any] | None = None) -> Context:
        numbers = numbers or {}
        count = len(next(iter({**words, **numbers}.values())))
        columns = [Column(name, "numeric") for name in numbers]
        codes = np.zeros((count, len(words)), dtype=np.int32)
        for j, (name, values) in enumerate(words.items()):
            vocabulary = tuple(sorted(set(values)))
            columns.append(Column(name, "categorical", vocabulary=vocabulary))
            codes[:, j] = [vocabulary.index(v) for v in values]
        X = np.stack([np.asarray(v, float) for v in numbers.values()], axis=1) if numbers else np.zeros((count, 0))
        table = Table(
            Schema(tuple(columns), Target("y", "binary", ("a", "b"))),
            Rows(X, codes),
            np.arange(count, dtype=np.int64) % 2,
        )
        e = np.empty(0, dtype=np.int64)
        return Context(table, Roles(np.arange(count), e, e, e, e))

    return make
