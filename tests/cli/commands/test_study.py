import json

import pytest

from temperance.cli.commands.study import check_device, check_task
from temperance.records.errors import SettingError


def test_options_become_settings(temperance, made_up, tmp_path) -> None:
    done = temperance(
        "study", "rows.csv", "--target", "y", "--test", "t.csv", "--task", "regression", "--budget", "30s",
        "--group", "g", "--time", "when", "--metric", "mae", "--seed", "7", "--out", tmp_path / "s",
        "--max-latency", "5ms", "--max-size", "2MB", "--prefer", "cheap",
        "--device", "cpu", "--workers", "1", "--json", "--quiet",
        "--candidate", "mine:forest", "--candidate", "mine:svm",
        "--column", "price=number,decimal=,", "--keep", "id", "--drop", "z", "--na-values", "-999", "--sheet", "S",
        "--sep", "tab",
    )  # fmt: skip
    assert done.status == 0, done.err
    one = made_up.settings[0]
    expected = {
        "data": "rows.csv", "target": "y", "test": "t.csv", "task": "regression", "group": "g", "time": "when",
        "metric": "mae", "seed": 7, "max_latency_ms": 5.0, "max_bytes": 2e6, "device": "cpu", "workers": 1,
        "out": tmp_path / "s", "prefer": "cheap", "only": False, "candidates": ("mine:forest", "mine:svm"),
        "reading": {
            "separator": "\t", "sheet": "S", "missing": ["-999"],
            "columns": {"price": {"read": "number", "decimal": ","}, "id": {"read": "keep"}, "z": {"read": "drop"}},
        },
    }  # fmt: skip
    assert {name: getattr(one, name) for name in expected} == expected
    assert one.budget.seconds == 30.0
    assert done.json["paths"]["report"] == str(tmp_path / "s" / "report.html")
    assert done.json["status"] == "complete"


def test_the_verdict_is_printed(temperance, made_up, tmp_path) -> None:
    done = temperance("study", "rows.csv", "--out", tmp_path / "s")
    assert done.status == 0
    assert "Best model:" in done.out
    assert "best so far: plain net" in done.err  # plain lines where there is no terminal


def test_the_report_is_written_in_the_language_that_was_asked_for(temperance, made_up, tmp_path) -> None:
    done = temperance("study", "rows.csv", "--out", tmp_path / "s", "--language", "de")
    assert done.status == 0, done.err
    assert '<html lang="de">' in (tmp_path / "s" / "report.html").read_text()
    refused = temperance("study", "rows.csv", "--out", tmp_path / "t", "--language", "xx")
    assert refused.status == 2
    assert len(made_up.settings) == 1  # before any work


def test_quiet_prints_nothing(temperance, made_up, tmp_path) -> None:
    done = temperance("study", "rows.csv", "--out", tmp_path / "s", "--quiet")
    assert (done.status, done.out, done.err) == (0, "", "")


def test_stopped_early_keeps_the_best_and_ends_with_130(temperance, made_up, tmp_path) -> None:
    made_up.status = "interrupted"
    done = temperance("study", "rows.csv", "--out", tmp_path / "s")
    assert done.status == 130
    assert f"--resume {tmp_path / 's'}" in done.out


def test_stopped_before_a_model_says_what_is_kept(temperance, made_up, tmp_path) -> None:
    made_up.raises = KeyboardInterrupt()
    done = temperance("study", "rows.csv", "--out", tmp_path / "s", "--quiet")
    assert done.status == 130
    assert "1 finished trial is kept" in done.err
    assert f"--resume {tmp_path / 's'}" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--budget", "3s"], "least that works"),
        (["--budget", "soon"], "10m"),
        (["--max-latency", "quick"], "--max-latency 5ms"),
        (["--max-size", "5ms"], "--max-size 2MB"),
        (["--task", "regresion"], "regression"),
        (["--device", "cpuu"], "cpu"),
        (["--resume", "a", "--replay", "b"], "together"),
        (["--resume", "nowhere"], "--resume with DATA"),
        (["--resume", "nowhere", "--seed", "1"], "Leave DATA, --seed out"),
        (["--workers", "0"], "--workers"),
        (["--prefer", "cheep"], "cheap"),
        (["--only-task"], "--task module:function"),
    ],
)
def test_bad_options_are_refused_at_once(temperance, made_up, tmp_path, monkeypatch, words, said) -> None:
    monkeypatch.chdir(tmp_path)
    done = temperance("study", "rows.csv", *words)
    assert done.status == 2
    assert said in done.err
    assert not made_up.settings
    assert not list(tmp_path.iterdir())


def test_data_must_be_named(temperance) -> None:
    done = temperance("study", "--target", "y")
    assert done.status == 2
    assert "temperance study DATA --target COLUMN" in done.err


def test_resume_needs_a_study(temperance, tmp_path) -> None:
    done = temperance("study", "--resume", tmp_path, "--json")
    assert done.status == 2
    assert done.json["error"]["kind"] == "StudyError"


def test_resume_goes_on_in_the_same_folder(temperance, made_up, tmp_path, monkeypatch) -> None:
    from temperance.study import again

    seen = {}
    (tmp_path / "ledger.jsonl").write_text("")

    def resume(folder, *, budget=None, progress=None, then=None, **changed):
        from temperance.testing.study_example import study_example

        seen.update(folder=folder, budget=budget, **changed)
        (folder / "study.json").write_text(json.dumps(study_example()))
        then(folder)

    monkeypatch.setattr(again, "resume", resume)
    done = temperance("study", "--resume", tmp_path, "--budget", "40s", "--quiet", "--json")
    assert done.status == 0, done.err
    assert seen["folder"] == tmp_path
    assert seen["budget"].seconds == 40.0
    assert seen["started"] > 0
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:1", "mps"])
def test_known_devices(device: str) -> None:
    assert check_device(device) is None


def test_unknown_devices_and_tasks() -> None:
    for device in ("gpu0", "cuda:x"):
        with pytest.raises(SettingError, match="--device"):
            check_device(device)
    with pytest.raises(SettingError, match="--task"):
        check_task("clasification")
    assert check_task("mynet:task") is None


@pytest.mark.slow
def test_the_whole_way_on_a_real_table(temperance, tmp_path, classes) -> None:
    table = classes.table
    out = tmp_path / "s"
    done = temperance(
        "study", table, "--target", "answer", "--budget", "4trials", "--out", out, "--workers", "1", "--json"
    )
    assert done.status == 0, done.err
    for name in (
        "study.json",
        "report.html",
        "leaderboard.csv",
        "model_card.md",
        "dataset_card.md",
        "bundle/manifest.json",
    ):
        assert (out / name).is_file()
    assert temperance("predict", out, table, "--out", tmp_path / "p.csv").status == 0
    assert temperance("evaluate", out, table, "--json").json["n"] == 240
    again = temperance("study", "--replay", out, "--json", "--workers", "1")
    assert again.status == 0
    assert len(again.json["identical"]) >= 3
