import json

import pytest


def test_a_model_passes_or_the_reason_is_said(temperance, classes, tmp_path) -> None:
    passed = temperance("gate", classes.folder, classes.table, "--require", "accuracy>=0.6", "--out", tmp_path / "g")
    assert passed.status == 0, passed.err
    assert "The model passes." in passed.out
    assert json.loads((tmp_path / "g" / "gate.json").read_text())["met"] is True
    failed = temperance("gate", classes.folder, classes.table, "--require", "accuracy>=0.6,ece<=0.0001")
    assert failed.status == 1
    assert "NOT MET: ece is" in failed.out
    assert "does not pass" in failed.out


@pytest.mark.slow
def test_the_cautious_end_and_the_point(temperance, classes) -> None:
    value = temperance("evaluate", classes.folder, classes.table, "--json").json["measurements"]["accuracy"]
    bound = f"accuracy>={(value['low'] + value['value']) / 2}"
    assert temperance("gate", classes.folder, classes.table, "--require", bound).status == 1
    assert temperance("gate", classes.folder, classes.table, "--require", bound, "--by", "point").status == 0


@pytest.mark.slow
def test_what_is_not_measured_or_not_written_right(temperance, classes) -> None:
    unknown = temperance("gate", classes.folder, classes.table, "--require", "acuracy>=0.1", "--json")
    assert unknown.status == 1
    assert "Did you mean 'accuracy'?" in unknown.json["requirements"][0]["why"]
    quiet = temperance("gate", classes.folder, classes.table, "--require", "accuracy>=1", "--quiet")
    assert (quiet.status, quiet.out) == (1, "")
    assert "accuracy is" in quiet.err
    assert temperance("gate", classes.folder, classes.table, "--require", "accuracy=1").status == 2
    assert temperance("gate", classes.folder, classes.table).status == 2
