import json

import pytest

from temperance.cli.resuming import more_for
from temperance.testing.study_example import study_example


@pytest.fixture
def complete(tmp_path):
    """Give the folder of a study whose ledger says that it is complete."""
    folder = tmp_path / "my study"
    folder.mkdir()
    rows = [{"event": "study", "settings": {"data": "rows.csv"}}, {"event": "end", "status": "complete"}]
    (folder / "ledger.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "study.json").write_text(json.dumps(study_example()))
    return folder


def test_a_complete_study_is_said_to_be_and_not_touched(temperance, complete) -> None:
    before = {path: path.read_bytes() for path in complete.iterdir()}
    done = temperance("study", "--resume", complete)
    assert done.status == 0, done.err
    assert done.out.startswith("This study is complete; nothing was changed.")
    assert f"--resume '{complete}' --budget" in done.out
    assert temperance("study", "--resume", complete, "--json").json["status"] == "complete"
    assert {path: path.read_bytes() for path in complete.iterdir()} == before


def test_more_is_trials_where_trials_were_counted(tmp_path) -> None:
    document = study_example()
    counted = {**document, "budget": {**document["budget"], "kind": "trials"}}
    assert more_for(tmp_path, document).endswith("--budget 10m")
    count = sum(trial["kind"] != "ensemble" for trial in document["trials"])
    assert more_for(tmp_path, counted).endswith(f"--budget {count + 10}trials")


@pytest.mark.parametrize("words", [["--seed", "1"], ["--target", "y"], ["--device", "cpu"], ["--out", "x"]])
def test_what_a_study_keeps_is_not_passed_over_in_silence(temperance, complete, words) -> None:
    done = temperance("study", "--resume", complete, *words)
    assert done.status == 2
    assert f"--resume with {words[0]}" in done.err


def test_limits_and_preference_may_change(temperance, complete, monkeypatch) -> None:
    from temperance.study import again

    seen = {}

    def resume(folder, *, then, **changed):
        seen.update(changed)
        then(folder)

    monkeypatch.setattr(again, "resume", resume)
    words = ["--budget", "30s", "--max-latency", "5ms", "--prefer", "cheap", "--workers", "1", "--quiet"]
    done = temperance("study", "--resume", complete, *words)
    assert done.status == 0, done.err
    assert (seen["max_latency_ms"], seen["prefer"], seen["workers"]) == (5.0, "cheap", 1)
    assert "max_bytes" not in seen
