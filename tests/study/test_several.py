from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from temperance.data import load_roles
from temperance.deployment.several import load_several
from temperance.records.errors import BudgetError, DataError, SettingError, StudyError
from temperance.study.clock import Budget
from temperance.study.settings import StudySettings
from temperance.study.several import begin, opened, resume, run, share_of
from temperance.study.store import load_table


def written(path: Path, rows: int = 160) -> Path:
    random = np.random.default_rng(0)
    a, b, noise = random.normal(size=(3, rows))
    lines = [
        f"{x:.3f},{y:.3f},{2 * x + 0.3 * n:.3f},{'yes' if y + 0.5 * n > 0 else 'no'},{'yes' if x > y else 'no'}"
        for x, y, n in zip(a, b, noise, strict=True)
    ]
    path.write_text("\n".join(["a,b,heat,wet,cold", *lines, ""]))
    return path


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    return written(tmp_path_factory.mktemp("data") / "rows.csv")


def settings_of(source: Path, out: Path, **changed) -> StudySettings:
    base = {"budget": Budget(trials=2), "workers": 1, "suite": "quick", "started": None}
    return StudySettings(data=source, target=None, out=out, **{**base, **changed})


@pytest.fixture(scope="module")
def finished(source, tmp_path_factory) -> Path:
    """Two yes/no targets, two trials each."""
    out = tmp_path_factory.mktemp("several") / "study"
    return run(settings_of(source, out), ["wet", "cold"])


def test_each_target_has_a_study_and_all_share_their_rows(finished: Path) -> None:
    document = opened(finished)
    assert document["status"] == "complete"
    assert [row["target"] for row in document["outputs"]] == ["wet", "cold"]
    places = [finished / "outputs" / row["folder"] for row in document["outputs"]]
    first, second = (load_roles(place / "work" / "roles.npz") for place in places)
    np.testing.assert_array_equal(first.test, second.test)
    np.testing.assert_array_equal(first.folds[0][1], second.folds[0][1])
    tables = [load_table(place / "work" / "table") for place in places]
    assert [c.name for c in tables[0].schema.columns] == ["a", "b", "heat"]
    assert all((place / "study.json").is_file() for place in places)


def test_all_are_measured_together_and_shipped_together(finished: Path) -> None:
    document = opened(finished)
    names = {"subset_accuracy", "mean_accuracy", "mean_log_loss", "label_micro_f1", "label_macro_f1"}
    assert set(document["together"]) == names
    each = [row["test"]["accuracy"]["value"] for row in document["outputs"]]
    assert document["together"]["mean_accuracy"]["value"] == pytest.approx(np.mean(each))
    assert [target for _, target, _ in load_several(finished / "bundle").parts] == ["wet", "cold"]


def test_a_complete_one_is_left_as_it_is_and_an_open_one_goes_on(finished: Path, tmp_path: Path) -> None:
    before = (finished / "outputs").stat().st_mtime
    assert resume(finished) == finished
    assert (finished / "outputs").stat().st_mtime == before
    with pytest.raises(StudyError, match="cannot be read"):
        resume(tmp_path)


def test_what_was_begun_can_be_stopped_before_the_first(source, tmp_path: Path) -> None:
    parts = begin(settings_of(source, tmp_path / "s"), ["heat", "wet"])
    assert [part.folder for part in parts] == ["1_heat", "2_wet"]
    assert json.loads((tmp_path / "s" / "several.json").read_text())["status"] == "begun"
    with pytest.raises(StudyError, match="no study that was begun"):
        resume(tmp_path / "s")
    with pytest.raises(StudyError, match="holds a study of several targets"):
        begin(settings_of(source, tmp_path / "s"), ["heat", "wet"])


def test_a_study_that_cannot_begin_leaves_nothing(source, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no column 'het'"):
        run(settings_of(source, tmp_path / "s"), ["het", "wet"])
    assert not (tmp_path / "s").exists()


def test_a_budget_that_reading_used_up_leaves_nothing(source, tmp_path: Path) -> None:
    import time

    late = settings_of(source, tmp_path / "s", budget=Budget(seconds=60.0), started=time.monotonic() - 50)
    with pytest.raises(BudgetError, match=r"20s for each and the reading: 1[0-9]{2}s") as refused:
        run(late, ["wet", "cold"])
    assert "Use --budget" in refused.value.remedy
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("changed", "targets", "match"),
    [
        ({}, ["wet", "wet"], "each once"),
        ({"reading": {"lags": [1]}}, ["heat", "wet"], "several targets with --lags"),
        ({"interval": 0.8}, ["wet", "cold"], "no target is a number"),
        ({"metric": "rmse"}, ["heat", "wet"], "cannot decide"),
        ({"budget": Budget(seconds=30.0)}, ["heat", "wet"], "Use --budget"),
    ],
)
def test_what_cannot_be_shared_is_refused(source, tmp_path: Path, changed, targets, match) -> None:
    with pytest.raises((SettingError, BudgetError), match=match):
        begin(settings_of(source, tmp_path / "s", **changed), targets)


def test_a_test_file_keeps_the_rows_that_all_know(source, tmp_path: Path) -> None:
    lines = source.read_text().splitlines()
    later = tmp_path / "later.csv"
    later.write_text("\n".join([lines[0], *lines[1:40], "0.1,0.2,,yes,no", ""]))
    begin(settings_of(source, tmp_path / "s", test=later), ["heat", "wet"])
    sizes = [len(load_table(tmp_path / "s" / "outputs" / name / "work" / "test")) for name in ("1_heat", "2_wet")]
    assert sizes == [39, 39]


def test_the_time_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    now = time.monotonic()
    assert share_of(Budget(trials=4), 3, now).trials == 4
    assert share_of(Budget(seconds=100.0), 2, now).seconds == pytest.approx(47.0, abs=0.5)
    with pytest.raises(BudgetError, match="Use --budget 70s or more"):
        share_of(Budget(seconds=40.0), 3, now)
    assert share_of(Budget(seconds=40.0), 3, now, late=True).seconds == 20.0


def test_a_range_is_for_the_numbers_among_them(source, tmp_path: Path) -> None:
    settings = settings_of(source, tmp_path / "s", interval=0.8)
    begin(settings, ["heat", "wet"])
    assert replace(settings, target="heat").interval == 0.8
    assert json.loads((tmp_path / "s" / "several.json").read_text())["interval"] == 0.8
