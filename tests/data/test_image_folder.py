from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from temperance import data
from temperance.records.errors import DataError


def folder_of_images(root: Path) -> Path:
    for name, colour in (("cat", 200), ("dog", 50)):
        (root / name).mkdir(parents=True)
        for i in range(6):
            size = (12, 10) if i else (20, 30)
            Image.new("RGB", size, (colour, i, 0)).save(root / name / f"{i}.png")
    return root


def test_an_image_folder_is_brought_to_one_size(tmp_path: Path) -> None:
    root = folder_of_images(tmp_path / "pets")
    (root / "cat" / "broken.png").write_bytes(b"not an image")
    reading = data.read(root)
    assert reading.table.schema.image_shape == (10, 12, 3)
    assert reading.table.schema.target.classes == ("cat", "dog")
    assert len(reading.table) == 12
    assert reading.dropped[0]["rows"] == 1
    assert any("2 sizes" in note for note in reading.notes)
    again = data.read(root / "dog", schema=reading.table.schema).table
    assert again.rows.images is not None
    assert again.rows.images.shape == (6, 10, 12, 3)
    assert set(again.target) == {-1}


def test_grey_images_keep_one_channel_and_large_ones_shrink(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(3):
            Image.new("L", (200, 100), i).save(tmp_path / name / f"{i}.png")
    assert data.read(tmp_path).table.schema.image_shape == (32, 64, 1)


def test_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    Image.new("1", (10_000, 10_000)).save(tmp_path / "a" / "bomb.png")
    with pytest.raises(DataError, match="10000 × 10000"):
        data.read(tmp_path)


def test_train_and_test_folders_and_empty_folders_are_refused(tmp_path: Path) -> None:
    folder_of_images(tmp_path / "set" / "train")
    folder_of_images(tmp_path / "set" / "test")
    with pytest.raises(DataError, match="--test"):
        data.read(tmp_path / "set")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no images"):
        data.read(tmp_path / "empty")
