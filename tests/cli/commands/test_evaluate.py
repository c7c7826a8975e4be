import json

from temperance.cli.commands.evaluate import _unweighed


def test_each_figure_has_an_interval_and_a_sentence(temperance, classes, tmp_path) -> None:
    done = temperance("evaluate", classes.folder, classes.table, "--out", tmp_path / "e")
    assert done.status == 0, done.err
    assert "of 100 rows (between" in done.out
    value = json.loads((tmp_path / "e" / "evaluation.json").read_text())
    accuracy = value["measurements"]["accuracy"]
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    assert value["n"] == 240


def test_numbers(temperance, values) -> None:
    done = temperance("evaluate", values.folder, values.table, "--json")
    assert done.status == 0, done.err
    assert {"rmse", "mae", "r2"} <= set(done.json["measurements"])


def test_rows_without_answers_are_refused(temperance, classes, tmp_path) -> None:
    blind = tmp_path / "blind.csv"
    blind.write_text("size,weight,colour\n1,2,red\n")
    done = temperance("evaluate", classes.folder, blind)
    assert done.status == 2
    assert "answer" in done.err


def test_an_unknown_suite_is_refused(temperance, classes) -> None:
    assert temperance("evaluate", classes.folder, classes.table, "--suite", "huge").status == 2


def test_weights_of_the_study_are_not_left_out_without_a_word() -> None:
    assert "weighed its rows by 'w'" in _unweighed("w", None)[0]
    assert _unweighed("w", "w") == _unweighed(None, None) == _unweighed(None, "w") == []
