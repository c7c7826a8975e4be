"""Data are read once; a prepared folder is opened as it is."""

from dataclasses import replace

import numpy as np
import pytest

from temperance.records.errors import DataError, SettingError
from temperance.study.prepare import prepare


def test_prepared_and_reopened_are_the_same(csv_file, tmp_path, make_settings):
    settings = make_settings(csv_file, tmp_path / "s")
    first = prepare(settings, tmp_path / "work")
    again = prepare(settings, tmp_path / "work")
    assert again.metric == first.metric == "log_loss"
    assert again.data["rows"] == 160
    assert np.array_equal(first.roles.test, again.roles.test)


def test_a_test_file_is_the_test(csv_file, tmp_path, make_settings, make_csv):
    other = make_csv(tmp_path / "other.csv", rows=60, seed=9)
    ready = prepare(make_settings(csv_file, tmp_path / "s", test=str(other)), tmp_path / "work")
    assert ready.roles.test_is_separate
    assert len(ready.test) == len(ready.roles.test) == 60


def test_wrong_metric_and_wrong_column_are_refused(csv_file, tmp_path, make_settings):
    with pytest.raises(SettingError, match="rmse"):
        prepare(make_settings(csv_file, tmp_path / "s", metric="rmse"), tmp_path / "w1")
    settings = make_settings(csv_file, tmp_path / "s")
    with pytest.raises(DataError, match="Did you mean 'answer'"):
        prepare(type(settings)(**{**vars(settings), "target": "anser"}), tmp_path / "w2")


def test_too_few_rows_are_refused_before_the_search(tmp_path, make_settings, make_csv):
    with pytest.raises(DataError, match=r"14 are left .* at least 20 of them. Give about 26 rows"):
        prepare(make_settings(make_csv(tmp_path / "few.csv", rows=18), tmp_path / "s"), tmp_path / "w")
    enough = make_settings(make_csv(tmp_path / "more.csv", rows=26), tmp_path / "t")
    assert len(prepare(enough, tmp_path / "v").table) == 26


def test_what_stands_beside_rows_in_memory_is_kept_and_guides_the_split(tmp_path, make_settings):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 2)), rng.normal(size=80)
    beside = {"weight": np.ones(80), "group": np.repeat(np.arange(20), 4)}
    settings = replace(make_settings((X, y), tmp_path / "s", beside=beside), target=None)
    ready = prepare(settings, tmp_path / "work")
    assert ready.table.weight.tolist() == [1.0] * 80
    held = set(ready.table.group[ready.roles.test])
    assert not held & set(ready.table.group[ready.roles.refit])
    short = replace(settings, beside={"weight": np.ones(79)})
    with pytest.raises(DataError, match="79 have a weight"):
        prepare(short, tmp_path / "other")


def test_costs_are_checked_before_the_search(csv_file, tmp_path, make_settings):
    ready = prepare(make_settings(csv_file, tmp_path / "s", costs=[("yes", "no", 9)]), tmp_path / "w1")
    assert ready.costs.of_rows(np.array([1]), np.array([0])).tolist() == [9.0]
    again = prepare(make_settings(csv_file, tmp_path / "s", costs=[("yes", "no", 9)]), tmp_path / "w1")
    assert again.costs == ready.costs
    with pytest.raises(SettingError, match="Did you mean 'yes'"):
        prepare(make_settings(csv_file, tmp_path / "s", costs=[("yess", "no", 9)]), tmp_path / "w2")
    with pytest.raises(SettingError, match="without costs"):
        prepare(make_settings(csv_file, tmp_path / "s", metric="expected_cost"), tmp_path / "w3")


def test_a_level_must_fit_the_target_and_the_rows(csv_file, tmp_path, make_settings):
    with pytest.raises(SettingError, match="which has classes"):
        prepare(make_settings(csv_file, tmp_path / "s", interval=0.8), tmp_path / "w1")
    settings = replace(make_settings(csv_file, tmp_path / "s", interval=0.999), target="a")
    with pytest.raises(SettingError, match="at least 999 such rows"):
        prepare(settings, tmp_path / "w2")
    assert prepare(replace(settings, interval=0.8), tmp_path / "w3").costs is None
    with pytest.raises(SettingError, match="between 0 and 1"):
        replace(settings, interval=80)


def test_levels_are_decided_by_a_metric_of_levels(tmp_path, make_settings, make_csv):
    path = make_csv(tmp_path / "rows.csv")
    lines = path.read_text().splitlines()
    grades = [f"{line.rsplit(',', 1)[0]},{1 + k % 3}" for k, line in enumerate(lines[1:])]
    path.write_text("\n".join([lines[0], *grades]))
    ready = prepare(make_settings(path, tmp_path / "s", task="ordinal"), tmp_path / "w1")
    assert ready.metric == "rps"
    assert ready.table.schema.target.ordered
    with pytest.raises(SettingError, match="--task ordinal"):
        prepare(make_settings(path, tmp_path / "t", metric="qwk"), tmp_path / "w2")


def test_a_study_of_one_target_takes_no_labels(tmp_path, make_settings):
    cells = ("red;blue", "red", "blue", "blue;green", "green")
    lines = ["x,answer", *(f"{i % 7},{cells[i % 5]}" for i in range(150))]
    (tmp_path / "tags.csv").write_text("\n".join([*lines, ""]))
    settings = make_settings(tmp_path / "tags.csv", tmp_path / "s", task="multilabel")
    with pytest.raises(SettingError, match="`temperance study` takes several"):
        prepare(settings, tmp_path / "work")
