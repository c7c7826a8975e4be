from __future__ import annotations

from pathlib import Path

import pytest

from temperance.data import read
from temperance.records.errors import DataError


def test_files_of_a_folder_are_one_table(tmp_path: Path) -> None:
    for part in range(3):
        rows = "".join(f"{(part * 10 + i) % 9 + 0.5},{('yes', 'no')[i % 2]}\n" for i in range(10))
        (tmp_path / f"{part}.csv").write_text("x,y\n" + rows)
    (tmp_path / "3.csv").write_text("y;x\n" + "".join(f"yes;{30 + i}\n" for i in range(10)))
    reading = read(tmp_path, target="y")
    assert reading.table.rows.numeric[:, 0].tolist() == [i % 9 + 0.5 for i in range(30)] + [30.0 + i for i in range(10)]
    assert any("4 text files" in note for note in reading.notes)
    (tmp_path / "4.csv").write_text("z,y\n1,yes\n")
    with pytest.raises(DataError, match=r"4\.csv"):
        read(tmp_path, target="y")
