"""Small mixed tables and fitted models that the tests of this room share."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from temperance.deployment.basic import basic_part
from temperance.deployment.manifest import MANIFEST, sha256
from temperance.deployment.write import Extras, write_bundle
from temperance.models.basic import BASIC
from temperance.records.schema import Column, Rows, Schema, Target

WORDS = (("red", "green", "blue", "very rare"), ("yes", "no"))


def schema_of(task: str = "binary", classes: tuple[str, ...] = ("no", "yes")) -> Schema:
    numeric = tuple(Column(f"x{j}", "numeric", f"x{j}", low=-3.0, high=3.0) for j in range(4))
    categorical = tuple(Column(f"c{j}", "categorical", f"c{j}", vocabulary=WORDS[j]) for j in range(2))
    return Schema(numeric + categorical, Target("y", task, classes))


def table_of(schema: Schema, count: int = 400, seed: int = 0) -> tuple[Rows, np.ndarray]:
    random = np.random.default_rng(seed)
    numeric = random.normal(size=(count, 4)) * [1.0, 100.0, 1e-3, 1.0] + [0.0, 5e6, 0.0, 3.0]
    numeric[random.random(numeric.shape) < 0.1] = np.nan
    codes = np.stack([random.integers(-1, len(w), count) for w in WORDS], 1).astype(np.int32)
    score = np.nan_to_num(numeric[:, 0]) + (codes[:, 0] == 1) * 1.5 - (codes[:, 1] == 0)
    rows = Rows(numeric, codes)
    if schema.target.task == "regression":
        return rows, score * 1000 + 1e5 + random.normal(size=count) * 10
    edges = np.quantile(score, np.linspace(0, 1, len(schema.target.classes) + 1)[1:-1])
    return rows, np.digitize(score + random.normal(size=count) * 0.3, edges)


class Fitted:
    """A fitted basic model as a ``Predictor``."""

    def __init__(self, name: str, schema: Schema) -> None:
        self.schema = schema
        self.rows, self.target = table_of(schema)
        train, valid = slice(0, 300), slice(300, 400)
        settings = {"most_trees": 40} if BASIC[name].needs or name == "boosting" else {}
        self.fitted = BASIC[name](**settings).fit(
            self.rows.take(train),
            self.target[train],
            schema=schema,
            valid=(self.rows.take(valid), self.target[valid]),
        )

    def predict(self, rows: Rows) -> np.ndarray:
        return self.fitted.predict(rows)


@pytest.fixture(scope="session")
def binary() -> Schema:
    return schema_of()


@pytest.fixture(scope="session")
def multiclass() -> Schema:
    return schema_of("multiclass", ("a", "b", "c"))


@pytest.fixture(scope="session")
def regression() -> Schema:
    return schema_of("regression", ())


@pytest.fixture(scope="session")
def linear(binary: Schema) -> Fitted:
    return Fitted("linear", binary)


@pytest.fixture(scope="session")
def kit() -> SimpleNamespace:
    """What tests build tables and models with."""
    return SimpleNamespace(schema_of=schema_of, table_of=table_of, Fitted=Fitted, WORDS=WORDS)


@pytest.fixture(scope="session")
def shipped(linear, binary, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shipped") / "bundle"
    extras = Extras(
        reference={"counts": np.arange(3)},
        recipe={"recipe": {}, "trace": [{"step": 1}]},
        recipe_toml="[recipe]\n",
        texts={"model_card.md": "# Card\n"},
        details={"trial": "t001"},
    )
    part = basic_part(linear.fitted, binary)
    write_bundle(folder, part=part, schema=binary, predictor=linear, rows=linear.rows, extras=extras)
    return folder


@pytest.fixture
def copy(shipped, tmp_path):
    shutil.copytree(shipped, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture(scope="session")
def change():
    """Edit a JSON file of a bundle, and the manifest's checksum of it."""

    def edit_file(folder, name, edit=None):
        path = folder / name
        if edit is not None:
            body = json.loads(path.read_text())
            edit(body)
            path.write_text(json.dumps(body))
        if name != MANIFEST:
            manifest = json.loads((folder / MANIFEST).read_text())
            manifest["files"][name] = {"sha256": sha256(path), "bytes": path.stat().st_size}
            (folder / MANIFEST).write_text(json.dumps(manifest))

    return edit_file
