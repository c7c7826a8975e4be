from temperance.study import exporting


def test_a_trial_is_exported(temperance, tmp_path, monkeypatch) -> None:
    seen = {}

    def export(folder, trial, *, out=None, started=None, progress=None):
        seen.update(folder=folder, trial=trial, out=out, started=started)
        return {"trial": trial, "name": "plain net", "bundle": str(out), "test": {}, "served": None}

    monkeypatch.setattr(exporting, "export", export)
    done = temperance("export", tmp_path, "--trial", "t003", "--out", tmp_path / "b", "--json")
    assert done.status == 0, done.err
    assert done.json["trial"] == seen["trial"] == "t003"
    assert seen["out"] == tmp_path / "b"
    assert seen["started"] > 0


def test_a_folder_without_a_study_is_refused(temperance, tmp_path) -> None:
    done = temperance("export", tmp_path, "--trial", "t003")
    assert done.status == 2
    assert "no ledger" in done.err


def test_a_study_goes_to_a_tracker(temperance, tmp_path, monkeypatch) -> None:
    from temperance.integrations import mlflow, optuna

    told = {"trials": 3, "uri": "u", "run": "r", "experiment": "e", "study": "s"}
    monkeypatch.setattr(mlflow, "export_study", lambda folder, *, uri: {"to": "mlflow", **told, "uri": uri})
    monkeypatch.setattr(optuna, "export_study", lambda folder, *, uri: {"to": "optuna", **told})
    done = temperance("export", tmp_path, "--to", "mlflow", "--uri", "sqlite:///x.db")
    assert done.status == 0, done.err
    assert "3 trials are runs inside the run r" in done.out
    assert "sqlite:///x.db" in done.out
    assert temperance("export", tmp_path, "--to", "optuna", "--json").json["study"] == "s"


def test_options_that_do_not_go_together_are_refused(temperance, tmp_path) -> None:
    for words, said in {
        (): "neither --target, --trial nor --to", ("--trial", "t", "--to", "mlflow"): "together",
        ("--to", "mlflwo"): "Did you mean 'mlflow'", ("--to", "optuna", "--out", "x"): "--out together with --to",
        ("--trial", "t", "--uri", "x"): "--uri without --to",
    }.items():  # fmt: skip
        done = temperance("export", tmp_path, *words)
        assert done.status == 2
        assert said.lower() in done.err.lower()
