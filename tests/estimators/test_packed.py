"""Bundles in memory."""

from __future__ import annotations

import pickle
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from temperance.data import read
from temperance.deployment import basic_part, load, write_bundle
from temperance.estimators.packed import PackedBundle
from temperance.models import BASIC
from temperance.records.errors import BundleError
from temperance.study.runner import BasicPredictor


@pytest.fixture(scope="module")
def folder(data: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    table = read((data.X, data.values), task="regression").table
    fitted = BASIC["Linear"](grid=(0.1,)).fit(table.rows, table.target, schema=table.schema, valid=None, seed=0)
    place = tmp_path_factory.mktemp("packed") / "bundle"
    write_bundle(
        place, part=basic_part(fitted, table.schema), schema=table.schema,
        predictor=BasicPredictor(table.schema, fitted), rows=table.rows,
    )  # fmt: skip
    return place


def test_it_predicts_like_the_bundle_also_after_pickling(folder: Path, data: SimpleNamespace) -> None:
    packed, rows = PackedBundle.of(folder), read((data.X, data.values), task="regression").table.rows
    expected = load(folder).predict(rows)
    assert np.array_equal(packed.predict(rows), expected)
    again = pickle.loads(pickle.dumps(packed))
    assert np.array_equal(again.predict(rows), expected)
    assert again.files == packed.files
    assert again.schema == load(folder).schema


def test_it_is_written_whole_to_a_new_folder(folder: Path, tmp_path: Path) -> None:
    packed = PackedBundle.of(folder)
    place = packed.write(tmp_path / "deep" / "bundle")
    assert load(place).version == load(folder).version
    assert [p.name for p in place.parent.iterdir()] == ["bundle"]
    with pytest.raises(BundleError, match="holds something"):
        packed.write(place)


def test_a_damaged_folder_is_not_taken(folder: Path, tmp_path: Path) -> None:
    place = PackedBundle.of(folder).write(tmp_path / "bundle")
    (place / "model.onnx").write_bytes(b"")
    with pytest.raises(BundleError, match=r"model\.onnx"):
        PackedBundle.of(place)
