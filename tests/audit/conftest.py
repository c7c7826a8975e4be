"""Tables, roles and contexts for the tests of the audit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from temperance.audit.context import Context
from temperance.records.roles import Roles
from temperance.records.schema import Column, Rows, Schema, Target
from temperance.records.table import Table

EMPTY = np.empty(0, dtype=np.int64)
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def build(
    X: Any, y: Any, *, names: list[str] | None = None, words: dict[str, Any] | None = None, regression: bool = False
) -> Table:
    """Return a table of numbers ``X`` and of string columns ``words``."""
    X = np.asarray(X, dtype=np.float64)
    names = names or [f"x{j}" for j in range(X.shape[1])]
    columns = [
        Column(
            name,
            "numeric",
            integer=bool(np.all(X[:, j] == np.round(X[:, j]))),
            low=float(np.nanmin(X[:, j])),
            high=float(np.nanmax(X[:, j])),
        )
        for j, name in enumerate(names)
    ]
    codes = np.zeros((len(X), len(words or {})), dtype=np.int32)
    for j, (name, values) in enumerate((words or {}).items()):
        vocabulary = tuple(sorted({v for v in values if v != ""}))
        columns.append(Column(name, "categorical", vocabulary=vocabulary))
        codes[:, j] = [vocabulary.index(v) if v != "" else -1 for v in values]
    if regression:
        target, answers = Target("y", "regression"), np.asarray(y, dtype=np.float64)
    else:
        classes, answers = np.unique(np.asarray(y), return_inverse=True)
        task = "binary" if len(classes) == 2 else "multiclass"
        target = Target("y", task, tuple(f"class {c}" for c in classes))
    return Table(Schema(tuple(columns), target), Rows(X, codes), answers)


def build_images(images: Any, y: Any) -> Table:
    """Return a table of images (b, h, w, c)."""
    images = np.asarray(images, dtype=np.uint8)
    classes = tuple(f"class {c}" for c in np.unique(y))
    schema = Schema((), Target("y", "multiclass", classes), kind="images", image_shape=images.shape[1:])
    rows = Rows(np.zeros((len(images), 0)), np.zeros((len(images), 0), dtype=np.int32), images)
    return Table(schema, rows, np.asarray(y, dtype=np.int64))


def split(count: int, *, test: int | None = None, seed: int = 0) -> Roles:
    """Return roles with a random test part (default one fifth)."""
    order = np.random.default_rng(seed).permutation(count)
    cut = count // 5 if test is None else test
    return Roles(np.sort(order[cut:]), EMPTY, EMPTY, EMPTY, np.sort(order[:cut]))


def read_shared(name: str, target: str, *, limit: int | None = None) -> Table:
    """Return one of the development sets, or skip the test where it is absent."""
    path = SHARED / name / "data.parquet"
    if not path.exists():
        pytest.skip(f"{path} is absent")
    import polars as pl

    frame = pl.read_parquet(path).drop_nulls(target)
    if limit and len(frame) > limit:
        frame = frame.sample(limit, seed=0)
    y = frame[target].cast(pl.String).to_numpy()
    numbers, words = {}, {}
    for column in frame.columns:
        if column in (target, "split"):
            continue
        series = frame[column]
        if series.dtype.is_numeric():
            numbers[column] = series.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        else:
            words[column] = series.cast(pl.String).fill_null("").to_list()
    X = np.stack(list(numbers.values()), axis=1) if numbers else np.zeros((len(frame), 0))
    return build(X, y, names=list(numbers), words=words)


@pytest.fixture(scope="session")
def make_table() -> Callable[..., Table]:
    return build


@pytest.fixture(scope="session")
def make_images() -> Callable[..., Table]:
    return build_images


@pytest.fixture(scope="session")
def make_roles() -> Callable[..., Roles]:
    return split


@pytest.fixture(scope="session")
def shared_table() -> Callable[..., Table]:
    return read_shared


@pytest.fixture(scope="session")
def make_context() -> Callable[..., Context]:
    def make(table: Table, *, seed: int = 0, **roles: Any) -> Context:
        return Context(table, split(len(table), **roles), None, seed)

    return make


@pytest.fixture(scope="session")
def bundled() -> Callable[[str], Table]:
    """Return scikit-learn's bundled sets as tables; ``synthetic`` is generated."""
    from sklearn import datasets

    def make(name: str) -> Table:
        if name == "synthetic":
            X, y = datasets.make_classification(1200, 12, n_informative=6, random_state=3)
            return build(X, y)
        data = getattr(datasets, f"load_{name}")()
        return build(data.data, data.target, regression=name == "diabetes")

    return make
