def test_it_studies_a_bundled_set_for_little_more_than_a_minute(temperance, made_up, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = temperance("demo", "--quiet", "--json")
    assert done.status == 0, done.err
    settings = made_up.settings[0]
    assert (settings.data, settings.test, settings.target) == ("noisy_digits", "noisy_digits_test", "target")
    assert settings.budget.seconds == 75.0
    assert done.json["paths"]["report"] == "temperance-demo/report.html"


def test_it_never_writes_over_an_older_one(temperance, made_up, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert temperance("demo", "--quiet").status == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["temperance-demo", "temperance-demo-2"]


def test_it_says_that_its_data_lie_and_that_is_so(temperance, made_up, tmp_path, monkeypatch) -> None:
    from sklearn.datasets import load_digits

    from temperance.data import read

    monkeypatch.chdir(tmp_path)
    assert "120 of them with a wrong answer on purpose" in temperance("demo").err
    assert temperance("demo", "--quiet").err == ""
    noisy, test = read("noisy_digits").table, read("noisy_digits_test").table
    assert (len(noisy), len(test)) == (400, 1397)
    truth = {row.tobytes(): str(y) for row, y in zip(*load_digits(return_X_y=True), strict=True)}

    def lies(table) -> int:
        names = table.schema.target.classes
        rows = zip(table.rows.numeric, table.target, strict=True)
        return sum(truth[row.astype("float64").tobytes()] != names[int(y)] for row, y in rows)

    assert lies(noisy) == 120
    assert lies(test) == 0
