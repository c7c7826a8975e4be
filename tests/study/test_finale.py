"""The winner is refitted and tested first; what it is compared with comes after, where there is time."""

import json


def test_comparisons_are_tested_on_the_same_rows(finished):
    winner = json.loads((finished / "study.json").read_text())["winner"]
    n = winner["test"]["accuracy"]["n"]
    for name in ("simple_test", "plain_test", "boosting_test"):
        assert winner[name]["measurements"]["accuracy"]["n"] == n
    assert winner["simple_test"]["name"] == "the same answer for all"
    assert winner["refit"]
    assert all(part["rows"] == 128 for part in winner["refit"].values())


def test_a_model_is_refitted_once(finished):
    lines = [json.loads(line) for line in (finished / "ledger.jsonl").read_text().splitlines()]
    refits = [line["id"] for line in lines if line["event"] == "refit"]
    assert len(refits) == len(set(refits))
    assert [line["name"] for line in lines if line["event"] == "finish"].count("winner") == 1
