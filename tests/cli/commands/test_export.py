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
