from pathlib import Path

import polars as pl
import pytest

from temperance.cli import answer_file
from temperance.cli.answer_file import AnswerFile
from temperance.records.errors import DataError

PARTS = [{"prediction": ["a", "=b"], "p": [0.5, 0.25]}, {"prediction": ["c"], "p": [1.0]}, {"prediction": [], "p": []}]


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_parts_become_one_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("old")
    with AnswerFile(path) as out:
        for part in PARTS[:2]:
            out.add(part)
            assert path.read_text() == "old"
    found = pl.read_csv(path) if name.endswith("csv") else pl.read_parquet(path)
    assert found["prediction"].to_list() == ["a", "'=b" if name.endswith("csv") else "=b", "c"]
    assert found["p"].to_list() == [0.5, 0.25, 1.0]
    assert [one.name for one in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_fault_on_the_way_leaves_the_old_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("old")

    def write() -> None:
        with AnswerFile(path) as out:
            out.add(PARTS[0])
            raise ValueError("later")

    with pytest.raises(ValueError, match="later"):
        write()
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_a_full_disk_in_the_middle_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    def write() -> None:
        with AnswerFile(tmp_path / "a.parquet") as out:
            out.add(PARTS[0])
            monkeypatch.setattr(answer_file.pl.DataFrame, "write_parquet", full)
            out.add(PARTS[1])

    with pytest.raises(DataError, match="No space left"):
        write()
    assert not list(tmp_path.iterdir())
    with pytest.raises(DataError, match="could not be written"), AnswerFile(tmp_path / "absent" / "a.csv"):
        pass


def test_it_is_opened_with_with(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        AnswerFile(tmp_path / "a.csv").add(PARTS[0])
