import csv
import io

import polars as pl


def test_csv_to_standard_output(temperance, classes) -> None:
    done = temperance("predict", classes.folder, classes.table)
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert done.status == 0, done.err
    assert list(rows[0]) == ["prediction", "probability_=yes", "probability_no"]
    assert len(rows) == 240


def test_a_parquet_file(temperance, values, tmp_path) -> None:
    done = temperance("predict", values.folder, values.table, "--out", tmp_path / "p.parquet", "--json")
    assert done.status == 0, done.err
    assert done.json["rows"] == 240
    assert pl.read_parquet(tmp_path / "p.parquet").columns == ["prediction", "low", "high"]


def test_rows_need_no_answer_and_keep_their_order(temperance, classes, tmp_path) -> None:
    rows = classes.table.read_text().splitlines()[1:20]
    blind = tmp_path / "blind.csv"
    blind.write_text("\n".join(["size,weight,colour", *(row.rpartition(",")[0] for row in rows)]) + "\n")
    all_of_them = temperance("predict", classes.folder, classes.table, "--json").json["predictions"]
    some = temperance("predict", classes.folder, blind, "--json").json["predictions"]
    assert some["probability_no"] == all_of_them["probability_no"][:19]


def test_unseen_and_missing_values_are_answered(temperance, classes, tmp_path) -> None:
    odd = tmp_path / "odd.csv"
    odd.write_text("size,weight,colour\n1.0,,blue\n,2.0,\n")
    done = temperance("predict", classes.folder, odd, "--json")
    assert done.status == 0, done.err
    assert all(0 <= p <= 1 for p in done.json["predictions"]["probability_no"])


def test_a_missing_column_is_named(temperance, classes, tmp_path) -> None:
    short = tmp_path / "short.csv"
    short.write_text("size,colour\n1,red\n")
    done = temperance("predict", classes.folder, short)
    assert done.status == 2
    assert "weight" in done.err


def test_another_kind_of_file_is_refused(temperance, classes, tmp_path) -> None:
    done = temperance("predict", classes.folder, classes.table, "--out", tmp_path / "p.xlsx")
    assert done.status == 2
    assert ".parquet" in done.err


def test_no_bundle(temperance, classes, tmp_path) -> None:
    done = temperance("predict", tmp_path, classes.table)
    assert done.status == 2
    assert "manifest.json" in done.err


def test_another_way_of_writing_is_said_and_the_user_decides(temperance, classes, tmp_path) -> None:
    commas = tmp_path / "commas.csv"
    text = classes.table.read_text()
    commas.write_text("\n".join(line.replace(",", ";").replace(".", ",") for line in text.splitlines()) + "\n")
    done = temperance("predict", classes.folder, commas, "--json")
    assert done.status == 0, done.err
    assert any("like 1234.5" in note and "read as missing" in note for note in done.json["notes"])
    chosen = temperance(
        "predict", classes.folder, commas, "--column", "size=number,decimal=,", "--column", "weight=number,decimal=,",
        "--sep", ";", "--json",
    )  # fmt: skip
    assert (
        chosen.json["predictions"] == temperance("predict", classes.folder, classes.table, "--json").json["predictions"]
    )
