import json


def test_findings_as_words_and_files(temperance, classes, tmp_path) -> None:
    done = temperance("audit", classes.table, "--target", "answer", "--out", tmp_path / "a")
    assert done.status == 0, done.err
    assert "No problem found by this test" in done.out
    value = json.loads((tmp_path / "a" / "audit.json").read_text())
    assert value["data"]["rows"] == 240
    assert {finding["check"] for finding in value["findings"]} >= {"duplicates", "leaks", "labels"}
    assert (tmp_path / "a" / "dataset_card.md").read_text().startswith("---")


def test_a_second_file_is_the_test(temperance, classes) -> None:
    done = temperance("audit", classes.table, "--target", "answer", "--test", classes.table, "--json")
    assert done.status == 0, done.err
    found = {finding["id"]: finding["state"] for finding in done.json["findings"]}
    assert "fix_before_use" in [state for name, state in found.items() if name.startswith("duplicates")]


def test_an_unknown_column_gets_the_nearest_name(temperance, classes) -> None:
    done = temperance("audit", classes.table, "--target", "anser")
    assert done.status == 2
    assert "answer" in done.err
