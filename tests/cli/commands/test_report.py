import json

from temperance.testing.study_example import study_example


def test_report_and_missing_cards_are_written(temperance, tmp_path) -> None:
    (tmp_path / "study.json").write_text(json.dumps(study_example()))
    (tmp_path / "model_card.md").write_text("filled in")
    done = temperance("report", tmp_path, "--json")
    assert done.status == 0, done.err
    assert done.json["report"] == str(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    assert (tmp_path / "model_card.md").read_text() == "filled in"
    assert (tmp_path / "dataset_card.md").exists()


def test_a_folder_without_a_study_is_refused(temperance, tmp_path) -> None:
    done = temperance("report", tmp_path)
    assert done.status == 2
    assert "study.json" in done.err


def test_a_report_in_german(temperance, tmp_path) -> None:
    (tmp_path / "study.json").write_text(json.dumps(study_example()))
    assert temperance("report", tmp_path, "--language", "de").status == 0
    assert "Die Antwort auf einen Blick" in (tmp_path / "report.html").read_text()
    assert temperance("report", tmp_path).status == 0
    assert "Die Antwort auf einen Blick" not in (tmp_path / "report.html").read_text()
    refused = temperance("report", tmp_path, "--language", "xx")
    assert refused.status == 2
    assert "One of de, en" in refused.err
