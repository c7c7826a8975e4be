import json

import pytest

from temperance.cli.verdict import measured, name_of, paths, summary, text
from temperance.testing.study_example import study_example


@pytest.fixture(params=["binary", "multiclass", "regression"])
def document(request):
    return study_example(request.param)


def test_the_verdict_says_who_won_how_good_it_is_and_where_it_lies(document, tmp_path) -> None:
    for name in ("study.json", "report.html"):
        (tmp_path / name).write_text("")
    (tmp_path / "bundle").mkdir()
    said = text(tmp_path, document, seconds=61.0)
    assert f"Best model: {name_of(document)}." in said
    assert "Took 1 min 01 s" in said
    assert f"{tmp_path}/report.html" in said
    assert "temperance serve" in said
    assert len(measured(document)) >= 2


def test_an_interrupted_study_says_how_to_go_on(tmp_path) -> None:
    assert f"--resume {tmp_path}" in text(tmp_path, study_example(status="interrupted"), seconds=5.0)


def test_the_summary_is_json_with_paths_only_of_what_is_there(document, tmp_path) -> None:
    (tmp_path / "study.json").write_text("")
    row = json.loads(json.dumps(summary(tmp_path, document, seconds=1.23456)))
    assert row["paths"]["study"] == str(tmp_path / "study.json")
    assert row["paths"]["report"] is None
    assert row["winner"]["trial"] == document["winner"]["trial"]
    assert sum(row["trials"].values()) == len(document["trials"])
    assert row["seconds"] == 1.235
    assert paths(tmp_path, document)["bundle"] is None


def test_findings_that_need_a_person_are_said(tmp_path) -> None:
    document = study_example()
    urgent = [f for f in document["findings"] if f["state"] == "fix_before_use"]
    said = text(tmp_path, document, seconds=1.0)
    assert urgent
    assert "Fix before use:" in said
    assert urgent[0]["title"] in said


def test_a_start_that_was_not_tried_is_said_on_the_terminal(tmp_path) -> None:
    document = study_example()
    document["limits"].append("Start of yours: recipe of a.toml was not tried: no time left in the budget.")
    assert document["limits"][-1] in text(tmp_path, document, seconds=1.0)


def test_what_was_bought_is_said_with_its_interval(tmp_path) -> None:
    document = study_example()
    document["winner"]["bought"] = [
        {"sentence": "It changed by -0.1.", "verdict": "better",
         "difference": {"value": -0.1, "low": -0.15, "high": -0.05, "confidence": 0.95}},
        {"sentence": "Nobody knows.", "difference": {"value": -0.1, "low": None, "high": None}},
    ]  # fmt: skip
    said = text(tmp_path, document, seconds=1.0)
    assert "  It changed by -0.1 (95 % interval -0.15 to -0.05: better).\n" in said
    assert "  Nobody knows.\n" in said


def test_a_rival_that_is_lower_on_the_test_rows_is_explained_and_only_then() -> None:
    from temperance.cli.verdict import DECIDES, _beside

    def said(rival: float) -> str:
        winner = {
            "trial": "a",
            "test": {"log_loss": {"value": 0.5}},
            "boosting_test": {"trial": "b", "measurements": {"log_loss": {"value": rival}}},
        }
        metric = {"name": "log_loss", "better": "lower"}
        return "\n".join(_beside({"winner": winner, "metric": metric, "trials": [{"id": "b", "name": "boosting"}]}))

    assert DECIDES in said(0.4)
    assert "boosting: 0.4" in said(0.4)
    assert DECIDES not in said(0.6)
