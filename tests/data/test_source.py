from __future__ import annotations

from pathlib import Path

import pytest

from temperance import data
from temperance.data.source import source_of
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
