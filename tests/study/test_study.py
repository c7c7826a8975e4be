"""The whole: a study of a file ends with a winner, a bundle and figures that agree."""

import errno
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from temperance.data import read
from temperance.deployment import load
from temperance.records.errors import DataError, StudyError
from temperance.study.ledger import barely_began
from temperance.study.lock import Owner, owner_of
from temperance.study.study import Study

OWN_NET = """
import torch
from temperance import Task

def task(info):
    print("hello")
    layers = torch.nn.Linear(len(info.numeric), 8), torch.nn.ReLU(), torch.nn.Linear(8, info.outputs)
    return Task(model=torch.nn.Sequential(*layers))
"""


def row(folder):
    return json.loads((folder / "study.json").read_text())


def test_a_finished_study_has_everything(finished):
    study = row(finished)
    done = [t for t in study["trials"] if t["kind"] != "ensemble"]
    assert study["status"] == "complete"
    assert len(done) == 6
    assert {"basic", "folded"} == {t["kind"] for t in done}
    assert {row["rows"] for row in study["winner"]["bought"]} == {"selection"}
    assert study["winner"]["trial"] in [t["id"] for t in study["trials"]]
    assert study["frontier"]
    assert study["findings"]
    for name in ("ledger.jsonl", "leaderboard.csv", "bundle/model.onnx", "bundle/manifest.json"):
        assert (finished / name).exists(), name


def test_the_bundle_gives_the_tested_accuracy(finished):
    study = row(finished)
    table_dir = finished / "work"
    from temperance.data import load_roles
    from temperance.study.store import load_table

    table, roles = load_table(table_dir / "table"), load_roles(table_dir / "roles.npz")
    answer = load(finished / "bundle").predict(table.rows.take(roles.test))
    right = (answer.argmax(axis=1) == table.target[roles.test]).mean()
    assert study["winner"]["test"]["accuracy"]["value"] == pytest.approx(right)


def test_every_ingredient_of_every_net_proved_that_it_acted(finished):
    nets = [t for t in row(finished)["trials"] if t["recipe"] and t["status"] == "done" and t["recipe"]["regularizers"]]
    assert nets
    for trial in nets:
        assert {a["ingredient"] for a in trial["acted"]}
        assert all(a["silent"] for a in trial["acted"])


def test_the_study_s_own_process_loads_no_torch():
    """It would take two seconds of every budget, and a core from the workers that start meanwhile."""
    code = (
        "import sys, temperance.study.study, temperance.study.desk, temperance.study.search.loop, "
        "temperance.study.finale, temperance.study.document; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_full_disk_in_the_first_second_is_said_and_leaves_a_folder_that_can_be_used_again(
    csv_file, tmp_path, make_settings, monkeypatch
):
    def full(settings):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("temperance.study.study.started", full)
    with pytest.raises(DataError, match="is full"):
        Study(make_settings(csv_file, tmp_path / "s")).run()
    assert barely_began(tmp_path / "s")
    assert owner_of(tmp_path / "s") is None


def test_the_folder_is_held_until_cards_and_report_are_written(csv_file, tmp_path, make_settings):
    seen = []

    def then(folder):
        assert (folder / "study.json").exists()
        seen.append(owner_of(folder))

    Study(make_settings(csv_file, tmp_path / "s", trials=2, audit=False, bundle=False), then=then).run()
    assert seen == [Owner.me()]
    assert owner_of(tmp_path / "s") is None


@pytest.mark.slow
def test_limits_that_nothing_meets_are_an_error_that_says_the_best(csv_file, tmp_path, make_settings):
    settings = make_settings(csv_file, tmp_path / "s", trials=2, max_bytes=10.0, audit=False)
    with pytest.raises(StudyError, match="smallest has"):
        Study(settings).run()


def test_an_interrupt_keeps_the_best_so_far(csv_file, tmp_path, make_settings):
    calls = []

    def progress(event):
        calls.append(event)
        if event["done"] >= 2 and not any(c["part"] == "interrupted" for c in calls):
            raise KeyboardInterrupt

    Study(make_settings(csv_file, tmp_path / "s", audit=False), progress=progress).run()
    study = row(tmp_path / "s")
    assert study["status"] == "interrupted"
    assert study["winner"]["trial"]
    assert "stopped early" in " ".join(study["limits"])


def test_regression_and_a_users_own_net(tmp_path, monkeypatch, make_settings):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 3))
    y = 3.0 * np.abs(x[:, 0]) + x[:, 1] + 0.1 * rng.normal(size=120)
    (tmp_path / "own_net.py").write_text(OWN_NET)
    monkeypatch.chdir(tmp_path)
    settings = make_settings((x, y), tmp_path / "s", trials=5, task="own_net:task", audit=False)
    Study(type(settings)(**{**vars(settings), "target": None})).run()
    study = row(tmp_path / "s")
    assert study["data"]["task"] == "regression"
    own = [t["status"] for t in study["trials"] if t["model"] == "user"]
    assert len(own) == 2
    assert set(own) <= {"done", "discarded"}
    assert study["winner"]["test"]["rmse"]["value"] < 3.0


def test_a_folder_of_images_has_a_linear_model_that_can_win(tmp_path, make_settings):
    random = np.random.default_rng(0)
    for word, light in (("dark", 0), ("light", 60)):
        (tmp_path / "pictures" / word).mkdir(parents=True)
        for i in range(60):
            pixels = (random.integers(0, 190, (20, 20)) + light * (np.arange(20) < 10)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / word / f"{i}.png")
    settings = make_settings(tmp_path / "pictures", tmp_path / "s", trials=2, audit=False)
    Study(type(settings)(**{**vars(settings), "target": None})).run()
    study = row(tmp_path / "s")
    assert [t["model"] for t in study["trials"]] == ["majority", "linear"]
    assert study["winner"]["trial"] == study["trials"][1]["id"] in [one["trial"] for one in study["frontier"]]
    assert study["trials"][1]["cost"]["latency_1_ms"] > 0
    assert study["winner"]["test"]["accuracy"]["value"] > 0.9
    table = read(tmp_path / "pictures").table
    answer = load(tmp_path / "s" / "bundle").predict(table.rows)
    assert (answer.argmax(axis=1) == table.target).mean() > 0.9
