from __future__ import annotations

from pathlib import Path

from temperance.data import read
from temperance.data.headers import is_title, looks_like_data, named, names_groups

ROWS = "".join(f"{i / 2},{i % 7},{('yes', 'no')[i % 2]}\n" for i in range(40))


def test_names_of_their_own() -> None:
    names, notes = named(["x", "", "x", "a\n(kg)", "x_2"])
    assert names == ["x", "column_2", "x_3", "a (kg)", "x_2"] or names == ["x", "column_2", "x_2_", "a (kg)", "x_2"]
    assert len(set(names)) == 5
    assert "'x' stands more than once" in notes[-1]
    assert looks_like_data(["1", "b"])


def test_groups_and_titles() -> None:
    assert names_groups([["m", "m", ""], ["a", "b", "y"], ["1", "2", "no"]])
    assert not names_groups([["a", "b", "y"], ["u", "v", "w"], ["1", "2", "no"]])
    assert not names_groups([["", "b", "y"], ["(kg)", "(n)", "(-)"], ["1", "2", "no"]])
    assert is_title(["Sales", " by region", " and year", " all"], [["x", "b", "y"], ["1", "2", "no"]], 3)
    assert not is_title(["x", "b", "y", ""], [["1", "2", "no"], ["1", "2", "no"]], 3)


def test_files(tmp_path: Path) -> None:
    for head in ("measured,,asked\nx,b,y\n", "Sales, by region, and year, all\nx,b,y\n", '"x\n",b,y\n'):
        (tmp_path / "a.csv").write_text(head + ROWS)
        table = read(tmp_path / "a.csv", target="y").table
        assert [column.name for column in table.schema.columns] == ["x", "b"]
        assert table.rows.numeric[:3, 0].tolist() == [0.0, 0.5, 1.0]
    (tmp_path / "a.csv").write_text("x,x,y\n" + ROWS)
    reading = read(tmp_path / "a.csv", target="y")
    assert [column.name for column in reading.table.schema.columns] == ["x", "x_2"]
    assert any("more than once" in note for note in reading.notes)
