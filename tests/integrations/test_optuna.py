"""A study in Optuna and back: the same recipes and scores; studies of others by the names of their parameters."""

import json

import optuna
import pytest

from temperance import Dropout, LabelSmoothing, MixUp, Recipe, WeightDecay
from temperance.integrations.optuna import export_study, import_study, mapped
from temperance.records.errors import StudyError
from temperance.study.clock import Budget
from temperance.study.settings import StudySettings


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize("file", ["o.db", "o.log"])
def test_out_and_back_gives_the_same_recipes_and_scores(study_folder, tmp_path, file):
    place = str(tmp_path / file)
    assert export_study(study_folder, uri=place)["trials"] == 13
    found = import_study(place)
    document = json.loads((study_folder / "study.json").read_text())
    assert (found.name, found.higher_is_better, found.unmapped) == ("churn", False, ())
    for row, one in zip(document["trials"], found.trials, strict=True):
        assert one.name == row["name"]
        assert one.recipe == Recipe.from_dict(row["recipe"] or {})
        score = (row["selection"].get("log_loss") or {}).get("value")
        assert one.value == (score if row["status"] == "done" else None)
        assert one.spec["id"] == row["id"]
        assert one.settings == {key: row["settings"][key] for key in ("epochs", "batch_size", "lr") if row["settings"]}
    states = [found.trials[number].state for number in (3, 4, 11)]
    assert states == ["COMPLETE", "PRUNED", "FAIL"]


def test_optuna_itself_can_work_with_it(study_folder, tmp_path):
    place = str(tmp_path / "o.db")
    export_study(study_folder, uri=place, name="mine")
    study = optuna.load_study(study_name="mine", storage=f"sqlite:///{place}")
    document = json.loads((study_folder / "study.json").read_text())
    done = [row["selection"]["log_loss"]["value"] for row in document["trials"] if row["status"] == "done"]
    assert study.best_value == min(done)
    trial = study.get_trials()[8]
    assert trial.params["dropout.p"] == 0.4
    assert trial.distributions["dropout.p"] == optuna.distributions.FloatDistribution(0.0, Dropout.strengths["p"].high)
    assert study.get_trials()[4].intermediate_values == {25: 0.5}
    with pytest.raises(StudyError, match="named 'mine' already"):
        export_study(study_folder, uri=place, name="mine")


def test_the_best_become_starts_each_recipe_once(study_folder, tmp_path):
    place = str(tmp_path / "o.db")
    export_study(study_folder, uri=place)
    starts = import_study(place).starts(3)
    assert len(starts) == 3
    assert all(row["recipe"]["regularizers"] for row in starts)
    assert starts[0]["settings"]["lr"] == 0.03
    assert StudySettings("x.csv", "y", tmp_path, Budget(trials=1), starts=starts).to_dict()["starts"] == list(starts)


def test_parameters_of_others_are_understood_or_named():
    given = {
        "dropout_rate": 0.2, "WeightDecay.rate": 0.1, "label_smoothing": 0.05, "mixup_alpha": 0.4, "n_layers": 3,
        "learning_rate": 0.01, "batch_size": 32, "model/lr": 0.02, "activation": "relu",
    }  # fmt: skip
    recipe, settings, unmapped = mapped(given)
    assert recipe == Recipe(Dropout(0.2), WeightDecay(0.1), LabelSmoothing(0.05), MixUp(0.4))
    assert settings == {"lr": 0.02, "batch_size": 32.0}
    assert unmapped == tuple(f"{n} names no technique and no training setting" for n in ("n_layers", "activation"))


def test_a_value_out_of_range_is_named():
    recipe, _, unmapped = mapped({"dropout": 7.0, "weight_decay": "much"})
    assert not len(recipe)
    assert unmapped[0] == "weight_decay is not a number"
    assert "Dropout" in unmapped[1]


def test_a_foreign_study_gives_starts(tmp_path):
    study = optuna.create_study(storage=f"sqlite:///{tmp_path / 'f.db'}", study_name="f", direction="maximize")

    def score(trial):
        trial.suggest_int("layers", 1, 3)
        if trial.number == 2:
            raise optuna.TrialPruned
        return trial.suggest_float("dropout", 0.1, 0.5)

    study.optimize(score, n_trials=4)
    found = import_study(str(tmp_path / "f.db"))
    assert [one.value is None for one in found.trials] == [False, False, True, False]
    best = found.starts()[0]["recipe"]["regularizers"][0]
    assert (best["name"], best["p"]) == ("Dropout", study.best_value)
    assert found.unmapped == ("layers names no technique and no training setting",)


@pytest.mark.parametrize(
    ("uri", "words"),
    [("nowhere.db", "no storage"), ("x.txt", r"ending in \.db"), ("gone/o.db", "no storage"), ("bad://x", "opened")],
)
def test_storages_that_are_none_are_refused(uri, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError, match=words):
        import_study(uri)


def test_several_studies_need_a_name_and_one_goal(tmp_path):
    place = f"sqlite:///{tmp_path / 'm.db'}"
    optuna.create_study(storage=place, study_name="one")
    optuna.create_study(storage=place, study_name="two", directions=["minimize", "maximize"])
    with pytest.raises(StudyError, match="2 studies"):
        import_study(place)
    with pytest.raises(StudyError, match="2 goals"):
        import_study(place, name="two")
    with pytest.raises(StudyError, match="Did you mean 'one'"):
        import_study(place, name="onee")
    assert import_study(place, name="one").starts() == ()
