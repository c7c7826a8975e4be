from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from temperance import data
from temperance.data import reader
from temperance.data.choices import choose
from temperance.records.errors import DataError
from temperance.records.schema import MISSING, UNSEEN

ROWS = 60


def table(**extra: list[Any]) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    base = {
        "age": rng.integers(18, 80, ROWS).tolist(),
        "income": rng.normal(50, 10, ROWS).round(3).tolist(),
        "city": [("Rome", "Oslo", "Lima")[i % 3] for i in range(ROWS)],
        "left": [("no", "yes", "no")[i % 3] for i in range(ROWS)],
    }
    return pl.DataFrame(base | extra)


def write(frame: pl.DataFrame, path: Path) -> Path:
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_csv(path)
    return path


def said(reading: data.Reading, text: str) -> bool:
    return any(text in note for note in reading.notes)


def refused(source: Any, **options: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        data.read(source, **options)
    assert caught.value.received
    assert caught.value.accepted
    assert caught.value.remedy
    return caught.value


def test_a_csv_is_read_with_types_task_and_notes(tmp_path: Path) -> None:
    reading = data.read(write(table(), tmp_path / "staff.csv"), target="left")
    schema = reading.table.schema
    assert [c.name for c in schema.numeric] == ["age", "income"]
    assert [c.vocabulary for c in schema.categorical] == [("Lima", "Oslo", "Rome")]
    assert schema.target.task == "binary"
    assert schema.target.classes == ("no", "yes")
    assert reading.table.target[:3].tolist() == [0, 1, 0]
    assert reading.table.rows.numeric.dtype == np.float64
    assert reading.table.rows.categorical.dtype == np.int32
    assert reading.table.name == "staff"
    assert len(reading.table.fingerprint) == 64
    assert said(reading, "classification into 2 classes")
    json.dumps(reading.to_dict(), allow_nan=False)


def test_csv_parquet_and_frame_give_the_same_table(tmp_path: Path) -> None:
    extra = {
        "when": [f"2024-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(ROWS)],
        "member": ["true", "false"] * (ROWS // 2),
    }
    frame = table(**extra)
    typed = frame.with_columns(pl.col("when").str.to_date(), pl.col("member") == "true")
    first = data.read(write(frame, tmp_path / "a.csv"), target="left").table
    for source in (write(typed, tmp_path / "a.parquet"), typed, frame):
        other = data.read(source, target="left").table
        assert other.schema == first.schema
        np.testing.assert_array_equal(other.rows.numeric, first.rows.numeric)
        np.testing.assert_array_equal(other.rows.categorical, first.rows.categorical)
        np.testing.assert_array_equal(other.target, first.target)


def test_missing_targets_are_dropped_and_said() -> None:
    left = table()["left"].to_list()
    left[3] = None
    left[7] = "?"
    reading = data.read(table(left=left), target="left")
    assert len(reading.table) == ROWS - 2
    assert reading.dropped == ({"rows": 2, "column": None, "why": "The target is missing."},)


def test_unknown_target_names_the_nearest_column() -> None:
    error = refused(table(), target="lft")
    assert "'lft'" in str(error)
    assert "'left'" in error.remedy


def test_no_target_lists_the_columns() -> None:
    assert "'income'" in refused(table()).accepted


def test_a_headless_file_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("1,2,a\n3,4,b\n")
    assert "header" in refused(path, target="label").remedy


def test_constant_empty_and_key_columns_are_left_out_and_said() -> None:
    frame = table(id=list(range(ROWS)), same=[1.0] * ROWS, empty=[None] * ROWS, code=[f"c{i:04d}" for i in range(ROWS)])
    reading = data.read(frame, target="left")
    assert set(reading.table.schema.ignored) == {"id", "same", "empty", "code"}
    assert {item["column"] for item in reading.dropped} == {"id", "same", "empty", "code"}
    assert said(reading, "identifier")
    assert said(reading, "constant")


def test_keep_uses_a_column_that_looks_like_a_key() -> None:
    reading = data.read(table(id=list(range(ROWS))), target="left", choices=choose(keep=["id"]))
    assert "id" in [c.name for c in reading.table.schema.numeric]
    with pytest.raises(DataError):
        data.read(table(), target="left", choices=choose(keep=["nothing"]))


def test_group_and_time_guide_the_split_and_are_no_inputs() -> None:
    frame = table(team=["a", "b", "c"] * 20, day=[f"2024-01-{1 + i % 28:02d}" for i in range(ROWS)])
    reading = data.read(frame, target="left", group="team", time="day")
    assert reading.table.group is not None
    assert np.unique(reading.table.group).tolist() == [0, 1, 2]
    assert reading.table.time is not None
    assert reading.table.time[0] == (np.datetime64("2024-01-01") - np.datetime64("1970-01-01")).astype(int)
    assert {"team", "day"} <= set(reading.table.schema.ignored)
    assert "team" not in [c.name for c in reading.table.schema.columns]


def test_rows_without_a_group_are_groups_of_their_own() -> None:
    team: list[Any] = ["a"] * (ROWS - 2) + [None, None]
    reading = data.read(table(team=team), target="left", group="team")
    assert reading.table.group is not None
    assert len(np.unique(reading.table.group)) == 3


def test_rows_without_a_time_are_dropped_and_said() -> None:
    day: list[Any] = [*range(1, ROWS), None]
    reading = data.read(table(day=day), target="left", time="day")
    assert len(reading.table) == ROWS - 1
    assert "'day'" in reading.dropped[0]["why"]


def test_a_time_of_words_is_refused() -> None:
    assert "time" in str(refused(table(day=["soon", "later"] * 30), target="left", time="day"))


def test_a_test_file_is_read_against_the_schema() -> None:
    schema = data.read(table(), target="left").table.schema
    other = table().with_columns(
        pl.when(pl.col("city") == "Oslo").then(pl.lit("Paris")).otherwise("city").alias("city")
    )
    other = other.with_columns(pl.lit(1).alias("more"))
    reading = data.read(other, target="left", schema=schema)
    assert (reading.table.rows.categorical[:, 0] == UNSEEN).sum() == 20
    assert said(reading, "unknown categories")
    assert said(reading, "'more'")
    assert reading.table.schema is schema


def test_a_test_file_without_a_column_is_refused_by_name() -> None:
    schema = data.read(table(), target="left").table.schema
    assert "'income'" in refused(table().drop("income"), target="left", schema=schema).received
    assert "'left'" in refused(table().drop("left"), target="left", schema=schema).received


def test_a_test_file_with_an_unknown_class_is_refused() -> None:
    schema = data.read(table(), target="left").table.schema
    error = refused(table(left=["maybe", "no"] * 30), target="left", schema=schema)
    assert "'maybe'" in str(error)


def test_classes_written_differently_are_matched_and_said() -> None:
    schema = data.read(table(), target="left").table.schema
    reading = data.read(table(left=["Yes.", "no"] * 30), target="left", schema=schema)
    assert reading.table.target[:2].tolist() == [1, 0]
    assert said(reading, "matched")


def test_rows_to_predict_need_no_target_and_none_is_dropped() -> None:
    schema = data.read(table(), target="left").table.schema
    reading = data.read(table().drop("left"), schema=schema)
    assert len(reading.table) == ROWS
    assert set(reading.table.target) == {-1}
    odd = data.read(table(left=["maybe", "no"] * 30), schema=schema)
    assert len(odd.table) == ROWS
    assert odd.table.target[1] == -1


def test_missing_values_in_a_test_file_stay_missing() -> None:
    schema = data.read(table(), target="left").table.schema
    other = table(age=[None] * ROWS, city=[None] * ROWS)
    rows = data.read(other, target="left", schema=schema).table.rows
    assert np.isnan(rows.numeric[:, 0]).all()
    assert (rows.categorical[:, 0] == MISSING).all()


def test_only_keys_and_texts_is_refused() -> None:
    frame = pl.DataFrame({"id": list(range(ROWS)), "y": ["a", "b"] * 30})
    assert "identifier" in str(refused(frame, target="y"))


def test_large_arrays_are_memory_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from temperance.data import encode

    monkeypatch.setattr(encode, "LARGE_BYTES", 100)
    plain = data.read(table(), target="left").table
    mapped = data.read(table(), target="left", workdir=tmp_path / "work").table
    assert isinstance(mapped.rows.numeric, np.memmap)
    assert not mapped.rows.numeric.flags.writeable
    np.testing.assert_array_equal(mapped.rows.numeric, plain.rows.numeric)
    np.testing.assert_array_equal(mapped.rows.categorical, plain.rows.categorical)
    assert not list((tmp_path / "work").glob("*.tmp"))


def test_a_large_csv_is_read_column_by_column(tmp_path: Path) -> None:
    from temperance.data.csv_file import CsvFile

    path = write(table(), tmp_path / "big.csv")
    small = data.read(path, target="left").table
    large = data.read(CsvFile(path, large_bytes=10), target="left").table
    assert large.schema == small.schema
    np.testing.assert_array_equal(large.rows.numeric, small.rows.numeric)


def test_images_against_a_table_schema_are_refused() -> None:
    schema = data.read(table(), target="left").table.schema
    images = np.zeros((10, 8, 8), dtype=np.uint8)
    assert "images" in str(refused((images, np.arange(10) % 2), schema=schema))


def test_a_date_part_never_takes_the_name_of_a_column() -> None:
    frame = table(day=[f"2024-{1 + i % 12:02d}-01" for i in range(ROWS)])
    frame = frame.with_columns(pl.Series("day.month", np.random.default_rng(1).normal(size=ROWS)))
    names = [c.name for c in data.read(frame, target="left").table.schema.columns]
    assert len(names) == len(set(names))


def test_read_is_exported_lazily() -> None:
    assert data.read is reader.read
    with pytest.raises(AttributeError):
        _ = data.nothing


def test_the_target_cannot_guide_the_split() -> None:
    assert "'left'" in str(refused(table(), target="left", group="left"))


@pytest.mark.shared_data
def test_every_shared_table_is_read_split_and_prepared() -> None:
    root = Path(__file__).parents[3] / "shared" / "data"
    if not root.is_dir():
        pytest.skip("the development data sets are absent")
    done = 0
    for folder in sorted(root.iterdir()):
        path = next((folder / name for name in ("data.parquet", "data.npz") if (folder / name).exists()), None)
        if path is None:
            continue
        target = json.loads((folder / "meta.json").read_text()).get("target")
        found = data.read(path, target=target).table
        roles = data.split(found, seed=0)
        features = data.Preprocess.fit(found, roles.train).transform(found.rows.take(roles.test))
        assert np.isfinite(features.numeric).all(), folder.name
        done += 1
    assert done > 60


def test_how_it_was_read_is_a_file_that_reads_it_so_again(tmp_path: Path) -> None:
    rows = [
        f"{100 + i};{i % 9}34;0{i % 5}1;{1 + i % 12:02d}/{1 + i % 11:02d}/2023;{i % 24}:30;{i % 3},5 kg;"
        f"{'aAb'[i % 3]};{i % 2}"
        for i in range(ROWS)
    ]
    (tmp_path / "a.csv").write_text("\n".join(["id;lone;code;day;at;mass;word;y", *rows]) + "\n")
    first = data.read(tmp_path / "a.csv", target="y")
    (tmp_path / "s.toml").write_text(first.to_toml())
    again = data.read(tmp_path / "a.csv", target="y", choices=choose(schema=tmp_path / "s.toml"))
    assert again.table.schema == first.table.schema
    np.testing.assert_array_equal(again.table.rows.numeric, first.table.rows.numeric)
    np.testing.assert_array_equal(again.table.rows.categorical, first.table.rows.categorical)
    evidence = {row["column"]: row for row in first.to_dict()["read"]}
    assert evidence["mass"] == {
        "column": "mass", "read": "number", "written": ", kg", "cells": ROWS, "misfits": 0, "odd": [], "doubts": [],
    }  # fmt: skip


def test_a_file_of_one_column_points_to_the_separator(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a%y\n" + "1%2\n" * 20)
    with pytest.raises(DataError, match="--sep"):
        data.read(tmp_path / "a.csv", target="y")


def test_weights_stand_beside_the_rows_and_are_no_input():
    frame = pl.DataFrame({"a": [i + 0.5 for i in range(40)], "w": [0.0, 3.0] * 20, "y": ["n", "n", "p", "p"] * 10})
    frame = frame.with_columns(
        w=pl.when(pl.col("a") == 1.5).then(None).when(pl.col("a") == 3.5).then(9.0).otherwise("w")
    )
    found = reader.read(frame, target="y", weight="w")
    assert [column.name for column in found.table.schema.columns] == ["a"]
    assert len(found.table) == 19
    assert found.table.weight is not None
    assert found.table.weight.mean() == pytest.approx(1.0)
    assert found.table.weight.max() == pytest.approx(3 * found.table.weight.min())
    assert {row["why"]: row["rows"] for row in found.dropped} == {
        "The weight 'w' is missing.": 1, "The weight 'w' is 0.": 20,
    }  # fmt: skip
    assert "'w' weighs the rows and is no input of the model." in found.notes
    again = reader.read(frame, target="y", weight="w", schema=found.table.schema)
    assert again.table.weight is not None
    assert again.table.weight.tolist() == found.table.weight.tolist()
    with pytest.raises(DataError, match="beside"):
        reader.read(frame, target="y", weight="y")


def test_several_targets_are_refused_where_one_is_meant():
    frame = pl.DataFrame({"a": [k + 0.5 for k in range(30)], "y": ["n", "p"] * 15, "z": ["n", "p", "p"] * 10})
    with pytest.raises(DataError, match=r"One target here.*`temperance study` takes several"):
        reader.read(frame, target="y, z")


@pytest.mark.parametrize(
    ("option", "learned"),
    [("city=number", "category"), ("age=category", "number"), ("age=text", "number"), ("income=drop", "number"),
     ("left=number", "category"), ("city=date", "category")],
)  # fmt: skip
def test_a_column_stays_what_the_model_learned(option: str, learned: str) -> None:
    schema = data.read(table(), target="left").table.schema
    with pytest.raises(DataError, match=f"learned '{option.split('=')[0]}' as {learned}"):
        data.read(table(), schema=schema, choices=choose([option]))


def test_how_it_is_written_may_be_said() -> None:
    schema = data.read(table(), target="left").table.schema
    commas = table().with_columns(pl.col("income").cast(pl.String).str.replace(".", ",", literal=True))
    found = data.read(commas, schema=schema, choices=choose(["income=number,decimal=,", "city=keep"]))
    assert np.array_equal(found.table.rows.numeric, data.read(table(), schema=schema).table.rows.numeric)


def test_a_text_is_not_taken_for_a_number_without_a_word() -> None:
    rng = np.random.default_rng(0)
    words = np.array(["free", "prize", "call", "now", "meeting", "lunch", "tomorrow", "see", "you", "there"])
    frame = pl.DataFrame({
        "msg": [" ".join(rng.choice(words, 8)) for _ in range(80)], "y": ["a", "b"] * 40
    })  # fmt: skip
    schema = data.read(frame, target="y").table.schema
    assert schema.text
    with pytest.raises(DataError, match="learned 'msg' as text"):
        data.read(frame, schema=schema, choices=choose(["msg=number"]))
