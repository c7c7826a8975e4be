from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from tests.app.conftest import Client

from temperance.app import pictures
from temperance.app.pictures import holds_pictures, unpack
from temperance.records.errors import DataError


def picture(shade: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (8, 8), shade).save(buffer, "PNG")
    return buffer.getvalue()


def packed(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(name, picture(number))
    return path


def test_folders_become_classes_and_no_name_leads_out(tmp_path: Path) -> None:
    names = ("pets/cats/1.png", "pets/dogs/1.png", "pets/cats/../../../evil.png", "__MACOSX/cats/1.png", "/abs/2.png",
             "pets/cats/1.png", "pets/cats/readme.txt", "c:\\x\\3.png")  # fmt: skip
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = packed(tmp_path / "pets.zip", *names)
    assert holds_pictures(path)
    folder = unpack(path)
    found = sorted(one.relative_to(tmp_path).as_posix() for one in tmp_path.rglob("*") if one.is_file())
    assert found == ["pets/abs/2.png", "pets/cats/1-3.png", "pets/cats/1.png", "pets/dogs/1.png"]
    assert folder == tmp_path / "pets"


def test_a_zip_of_tables_is_left_to_the_reader(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", "x,y\n1,2\n")
    assert not holds_pictures(tmp_path / "a.zip")
    (tmp_path / "b.zip").write_text("no zip")
    assert not holds_pictures(tmp_path / "b.zip")


def test_what_swells_or_is_damaged_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "LEAST", 10)
    monkeypatch.setattr(pictures, "SWELL", 0)
    with pytest.raises(DataError, match="unpacks to"):
        unpack(packed(tmp_path / "big.zip", "a/1.png", "b/1.png"))
    broken = packed(tmp_path / "broken.zip", "a/1.png")
    broken.write_bytes(broken.read_bytes()[:40])
    with pytest.raises(DataError, match="cannot be unpacked"):
        unpack(broken)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []


def test_a_zip_with_a_damaged_picture_or_directory_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/1.png", bytes(range(256)) * 40)
    whole = path.read_bytes()
    path.write_bytes(whole[:50] + b"\xff" * 60 + whole[110:])
    with pytest.raises(DataError, match="cannot be unpacked"):
        unpack(path)
    start = whole.index(b"PK\x01\x02")
    path.write_bytes(whole[:start] + b"XX" + whole[start + 2 :])
    assert zipfile.is_zipfile(path)
    assert not holds_pictures(path)


def test_uploaded_pictures_are_read_as_pictures(client: Client, tmp_path_factory: pytest.TempPathFactory) -> None:
    names = [f"pets/{label}/{number}.png" for label in ("cats", "dogs") for number in range(12)]
    path = packed(tmp_path_factory.mktemp("zip") / "pets.zip", *names)
    assert client.post("/upload", file=("pets.zip", path.read_bytes())).status_code == 303
    text = client.get("/study/temperance-pets/data").text
    assert "24 pictures of 8 by 8 points" in text
    assert "cats or dogs" in text
    client.post("/study/temperance-pets/again")
    assert "24 pictures" in client.get("/study/temperance-pets-2/data").text
