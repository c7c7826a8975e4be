def test_it_studies_a_bundled_set_for_a_minute(temperance, made_up, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = temperance("demo", "--quiet", "--json")
    assert done.status == 0, done.err
    settings = made_up.settings[0]
    assert (settings.data, settings.target, settings.budget.seconds) == ("breast_cancer", "target", 60.0)
    assert done.json["paths"]["report"] == "temperance-demo/report.html"


def test_it_never_writes_over_an_older_one(temperance, made_up, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert temperance("demo", "--quiet").status == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["temperance-demo", "temperance-demo-2"]
