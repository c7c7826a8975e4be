from __future__ import annotations

from pathlib import Path

import pytest

from temperance.app.places import Place, tame
from temperance.records.errors import DataError


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\sales.csv", "sales.csv"),
        ("-rf.csv", "rf.csv"),
        (".hidden", "hidden"),
        ("größe (1).csv", "größe (1).csv"),
        ('a"b<c>|d\n.csv', "a_b_c_d_.csv"),
        ("", "data"),
        ("x" * 300 + ".csv", "x" * 80 + ".csv"),
    ],
)
def test_an_uploaded_name_is_a_plain_name(name: str, kept: str) -> None:
    assert tame(name) == kept


def test_data_files_and_folders_are_offered_and_nothing_else(tmp_path: Path) -> None:
    for name in ("a.csv", "b.xlsx", "notes.md", ".hidden.csv"):
        (tmp_path / name).write_text("x")
    for label in ("cats", "dogs"):
        (tmp_path / "pets" / label).mkdir(parents=True)
        (tmp_path / "pets" / label / "1.png").write_text("")
    (tmp_path / "empty").mkdir()
    assert [path.name for path in Place(tmp_path).data()] == ["a.csv", "b.xlsx", "pets"]


def test_links_that_lead_out_are_neither_offered_nor_taken(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    root.mkdir()
    (outside / "secret.csv").write_text("x")
    (root / "link.csv").symlink_to(outside / "secret.csv")
    (root / "own.csv").write_text("x")
    (root / "inner.csv").symlink_to(root / "own.csv")
    place = Place(root)
    assert [path.name for path in place.data()] == ["inner.csv", "own.csv"]
    assert place.file(root, "link.csv") is None
    assert place.file(root, "inner.csv") is not None
    with pytest.raises(DataError, match="no data file"):
        place.picked("link.csv")


def test_a_folder_of_pictures_with_a_link_out_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for label in ("cats", "dogs"):
        (root / "pets" / label).mkdir(parents=True)
        (root / "pets" / label / "1.png").write_text("")
    (tmp_path / "secret.png").write_text("")
    assert Place(root).picked("pets").name == "pets"
    (root / "pets" / "cats" / "2.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(DataError, match="leads out"):
        Place(root).picked("pets")


@pytest.mark.parametrize("name", ["../x.csv", "/etc/passwd", "", ".", "..", "sub/x.csv"])
def test_only_plain_names_are_files(tmp_path: Path, name: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.csv").write_text("x")
    assert Place(tmp_path).file(tmp_path, name) is None


def test_a_new_folder_has_a_free_name(tmp_path: Path) -> None:
    place = Place(tmp_path)
    first = place.free("my sales")
    first.mkdir()
    assert (first.name, place.free("my sales").name) == ("temperance-my-sales", "temperance-my-sales-2")
