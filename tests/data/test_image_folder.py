from __future__ import annotations

from pathlib import Path

import numpy as np
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


def test_odd_pictures_and_strangers(tmp_path: Path) -> None:
    root = folder_of_images(tmp_path / "pets")
    cat = root / "cat"
    Image.new("RGBA", (12, 10), (0, 0, 0, 0)).save(cat / "clear.png")
    Image.fromarray(np.full((10, 12), 65535 // 2, dtype=np.uint16)).save(cat / "deep.png")
    Image.new("CMYK", (12, 10), (0, 0, 0, 255)).save(cat / "print.jpg")
    Image.new("P", (12, 10)).save(cat / "palette.gif")
    lying = Image.new("RGB", (10, 12), (9, 9, 9))
    exif = lying.getexif()
    exif[0x0112] = 6
    lying.save(cat / "phone.jpg", exif=exif)
    whole = (root / "dog" / "1.png").read_bytes()
    (root / "dog" / "half.png").write_bytes(whole[: len(whole) // 2])
    (root / "labels.csv").write_text("a,b\n")
    reading = data.read(root)
    images = reading.table.rows.images
    assert images is not None
    at = {name: images[i] for i, name in enumerate(reading.files)}
    assert at["cat/clear.png"].min() == 255  # on white
    assert set(np.unique(at["cat/deep.png"])) == {127}
    assert at["cat/print.jpg"].max() < 10
    assert images.shape[1:] == (10, 12, 3)
    assert any("1 of 18 image files" in note and "dog/half.png" in note for note in reading.notes)
    assert any("labels.csv" in note for note in reading.notes)


def test_one_class_is_refused_with_the_way_down(tmp_path: Path) -> None:
    folder_of_images(tmp_path / "set" / "all")
    with pytest.raises(DataError, match="one class only") as caught:
        data.read(tmp_path / "set")
    assert str(tmp_path / "set" / "all") in caught.value.remedy
