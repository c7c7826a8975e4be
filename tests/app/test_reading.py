from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from tests.app.conftest import TABLE

from temperance.app import reading
from temperance.app.project import Project
from temperance.app.reading import alternatives, look, plain, seen, suggest
from temperance.data import read

FILE = {"kind": "file", "name": "a.csv"}


def test_each_doubt_of_the_reader_becomes_a_choice_that_reads_it_so(tmp_path: Path) -> None:
    lines = ["day;amount;temp;y"]
    lines += [
        f"0{1 + i % 9}/0{1 + i % 7}/2024;1,{100 + i};{'-999' if i % 9 == 0 else 20 + i % 5};{i % 2}" for i in range(90)
    ]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    found = look(Project("a", FILE, target="y"), tmp_path / "p", tmp_path)
    others = {column["column"]: column["others"] for column in found["columns"]}
    assert others["day"] == ["date,pattern=%m/%d/%Y"]
    assert others["amount"][0].startswith("number,decimal=")
    assert others["temp"] == ["number,na=-999"]
    chosen = {name: options[0] for name, options in others.items() if options}
    again = look(Project("a", FILE, target="y", columns=chosen), tmp_path / "p", tmp_path)
    assert not any(column["others"] for column in again["columns"])
    assert all("--" not in text for column in found["columns"] for text in column["doubts"])


def test_a_file_is_read_again_only_when_a_decision_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text(TABLE)
    made = Project("a", FILE)
    first = seen(made, tmp_path / "p", tmp_path)
    calls: list[str] = []
    monkeypatch.setattr(reading, "read", lambda *a, **k: calls.append("") or read(*a, **k))
    assert seen(made, tmp_path / "p", tmp_path) == first
    assert calls == []
    (tmp_path / "p" / "app" / "reading.json").write_text("{")
    seen(made, tmp_path / "p", tmp_path)
    seen(made.changed(columns={"zip": "drop"}), tmp_path / "p", tmp_path)
    assert len(calls) == 2


def test_a_file_that_cannot_be_read_so_still_names_its_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(TABLE)
    found = look(Project("a", FILE, target="zip", task="regression", columns={"price": "date,pattern=iso"}),
                 tmp_path / "p", tmp_path)  # fmt: skip
    assert len(found["error"]) == 3
    assert found["names"] == ["id", "when", "price", "zip", "left"]
    gone = look(Project("a", {"kind": "file", "name": "none.csv"}), tmp_path / "p", tmp_path)
    assert "none.csv" in gone["error"][0]


def test_the_guess_is_a_telling_name_or_the_last_column_with_few_values() -> None:
    frame = pl.DataFrame({"a": range(100), "Outcome": range(100), "b": [0, 1] * 50, "c": range(100)})
    assert suggest(frame.columns, frame) == "Outcome"
    rest = frame.drop("Outcome")
    assert suggest(rest.columns, rest) == "b"
    assert suggest(["a", "c"], frame.select("a", "c")) == "c"
    assert suggest([], frame) == ""


def test_sentences_about_the_command_line_are_left_out() -> None:
    assert plain("It was read so. To read it otherwise: --column 'x=category'.") == "It was read so."
    assert plain("--keep COLUMN uses such a column all the same.") == ""
    assert plain("A minus -- here.") == "A minus -- here."
    assert alternatives(["… --column 'a b=number,decimal=,,thousands=.'.", "--column 'broken'"]) == [
        "number,decimal=,,thousands=."
    ]
