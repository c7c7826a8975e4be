from __future__ import annotations

from pathlib import Path

import pytest

from temperance import data
from temperance.data.bundled import BundledSet
from temperance.data.source import source_of
from temperance.data.text_folder import TextFolder
from temperance.records.errors import DataError


def test_missing_files_and_unknown_endings(tmp_path: Path) -> None:
    (tmp_path / "staff.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"staff\.csv"):
        source_of(tmp_path / "staf.csv")
    with pytest.raises(DataError, match="no file"):
        source_of("nowhere/at/all.csv")
    (tmp_path / "a.pkl").write_bytes(b"")
    with pytest.raises(DataError, match=r"\.pkl"):
        source_of(tmp_path / "a.pkl")
    with pytest.raises(DataError, match="type object"):
        data.read(object(), target="y")


def test_a_tilde_that_names_nobody_is_part_of_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("~nobody-of-this-name.csv").write_text("a,b\n1,2\n")
    source_of("~nobody-of-this-name.csv")
    with pytest.raises(DataError, match="no file"):
        source_of("~nobody-of-this-name-either.csv")


def test_a_study_may_be_named_like_the_bundled_set_that_it_is_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "iris").mkdir()
    (tmp_path / "iris" / "leaderboard.csv").write_text("a,b\n1,2\n")
    assert isinstance(source_of("iris"), TextFolder)
    (tmp_path / "iris" / "ledger.jsonl").touch()
    assert isinstance(source_of("iris"), BundledSet)
    assert isinstance(source_of("./iris"), TextFolder)
