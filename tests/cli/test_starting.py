"""What --start names reaches the study; what cannot be taken over is said."""

import optuna
import pytest

from temperance import Dropout, Recipe


def test_recipes_of_a_file_and_of_optuna_are_tried_first(temperance, tmp_path, made_up, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(Recipe(Dropout(0.25)).to_toml())
    study = optuna.create_study(storage="sqlite:///o.db", study_name="old")
    study.optimize(
        lambda trial: trial.suggest_float("dropout", 0.1, 0.3) + trial.suggest_int("depth", 1, 2), n_trials=3
    )
    done = temperance("study", "iris", "--out", "s", "--start", "mine.toml", "--start", "o.db#old")
    assert done.status == 0, done.err
    starts = made_up.settings[0].starts
    assert [row["name"] for row in starts][:1] == ["recipe of mine.toml"]
    assert len(starts) == 4
    assert starts[1]["recipe"]["regularizers"][0]["p"] == study.best_params["dropout"]
    assert "depth names no technique and no training setting; left out" in done.err
    assert "3 of 3 finished trials are tried first" in done.err


@pytest.mark.parametrize(
    ("start", "words"), [("no.toml", "no file"), ("no.db", "no storage"), ("no.txt", "ending in .db")]
)
def test_what_is_not_there_is_refused(temperance, tmp_path, made_up, start, words):
    done = temperance("study", "iris", "--out", tmp_path / "s", "--start", start)
    assert done.status == 2
    assert words in done.err
    assert not made_up.settings


def test_a_study_without_our_techniques_gives_nothing(temperance, tmp_path, made_up):
    place = tmp_path / "o.db"
    study = optuna.create_study(storage=f"sqlite:///{place}", study_name="old")
    study.optimize(lambda trial: trial.suggest_int("depth", 1, 2), n_trials=1)
    done = temperance("study", "iris", "--out", tmp_path / "s", "--start", place)
    assert done.status == 2
    assert "has a technique of ours" in done.err
