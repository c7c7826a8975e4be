import json

import polars as pl
import pytest


def test_a_model_against_worse_predictions(temperance, classes, tmp_path) -> None:
    assert temperance("predict", classes.folder, classes.table, "--out", tmp_path / "p.csv").status == 0
    found = pl.read_csv(tmp_path / "p.csv")
    half = pl.DataFrame({name: [0.5] * 240 for name in found.columns if name.startswith("probability_")})
    half.write_csv(tmp_path / "coin.csv")
    done = temperance("compare", classes.folder, tmp_path / "coin.csv", classes.table, "--target", "answer",
                      "--metric", "log_loss", "--out", tmp_path / "c", "--json")  # fmt: skip
    assert done.status == 0, done.err
    assert done.json["verdict"] == "better"
    value = json.loads((tmp_path / "c" / "comparison.json").read_text())
    assert value["comparisons"]["log_loss"]["word"] == "better"
    rows = pl.read_parquet(tmp_path / "c" / "rows.parquet")
    gap = rows["first_log_loss"].mean() - rows["second_log_loss"].mean()
    assert value["comparisons"]["log_loss"]["difference"]["value"] == pytest.approx(gap)
    assert "| log_loss |" in (tmp_path / "c" / "comparison.md").read_text()


def test_itself_is_equivalent_and_other_tasks_are_refused(temperance, classes, values) -> None:
    same = temperance("compare", classes.folder, classes.folder, classes.table, "--margin", "0.02")
    assert same.status == 0, same.err
    assert "does not matter" in same.out
    assert temperance("compare", classes.folder, values.folder, classes.table).status == 2
    assert temperance("compare", classes.folder, classes.folder, classes.table, "--metric", "nothing").status == 2


def test_two_models_of_one_name_are_told_apart_by_their_place(temperance, classes) -> None:
    again = f"{classes.folder}/."
    done = temperance("compare", classes.folder, again, classes.table, "--margin", "0.02")
    assert done.status == 0, done.err
    assert f"{classes.folder} and {again} differ by less than" in " ".join(done.out.split())


def test_answers_that_are_not_measured_are_told(temperance, classes, tmp_path) -> None:
    temperance("predict", classes.folder, classes.table, "--out", tmp_path / "p.parquet")
    found = pl.read_parquet(tmp_path / "p.parquet")
    other = found.with_columns(prediction=pl.lit("no"))
    other.write_parquet(tmp_path / "other.parquet")
    done = temperance("compare", classes.folder, tmp_path / "other.parquet", classes.table, "--target", "answer")
    assert done.status == 0, done.err
    said = f"other: In {(found['prediction'] != 'no').sum()} of 240 rows 'prediction' is not the likeliest class"
    assert said in done.out
