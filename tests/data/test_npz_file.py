from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from temperance import data
from temperance.records.errors import DataError


def test_npz_with_x_and_y(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, X=np.random.default_rng(0).normal(size=(30, 3)), y=np.arange(30) % 3)
    table = data.read(path).table
    assert [c.name for c in table.schema.columns] == ["x0", "x1", "x2"]
    assert table.schema.target.task == "multiclass"


def test_npz_images_train_and_test_part(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    pixels = np.random.default_rng(0).integers(0, 256, (30, 8, 9), dtype=np.uint8)
    labels = np.arange(30) % 2
    np.savez(path, x_train=pixels[:20], y_train=labels[:20], x_test=pixels[20:], y_test=labels[20:])
    train = data.read(path).table
    assert train.schema.image_shape == (8, 9, 1)
    assert train.rows.images is not None
    np.testing.assert_array_equal(train.rows.images[..., 0], pixels[:20])
    test = data.read(path, schema=train.schema, target="target").table
    assert test.rows.images is not None
    np.testing.assert_array_equal(test.rows.images[..., 0], pixels[20:])


def test_npz_with_objects_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path(marker).write_text, ("x",))

    path = tmp_path / "a.npz"
    np.savez(path, X=np.array([Bomb()], dtype=object), y=np.arange(1))
    with pytest.raises(DataError, match="Python objects"):
        data.read(path)
    assert not marker.exists()


def test_npz_without_inputs_or_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, foo=np.arange(3))
    with pytest.raises(DataError, match="foo"):
        data.read(path)
    whole = tmp_path / "b.npz"
    np.savez_compressed(whole, X=np.random.default_rng(0).normal(size=(100, 3)), y=np.arange(100) % 2)
    path.write_bytes(whole.read_bytes()[:500])
    with pytest.raises(DataError, match="cannot be read"):
        data.read(path)
