from __future__ import annotations

import json
from pathlib import Path

from temperance.app.progress import CHUNK, follow, shown


def test_whole_lines_are_read_and_a_torn_one_waits(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b'{"event": "start", "seed": 0}\n{"event": "tri')
    first = follow(path)
    assert first.entries == ({"event": "start", "text": "seed: 0"},)
    assert not first.more
    with path.open("ab") as file:
        file.write(b'al", "score": 0.123456}\n')
    second = follow(path, first.offset)
    assert second.entries == ({"event": "trial", "text": "score: 0.1235"},)
    assert follow(path, second.offset).entries == ()


def test_no_file_no_lines(tmp_path: Path) -> None:
    assert follow(tmp_path / "none", 12).to_dict() == {"entries": [], "offset": 0, "more": False}


def test_a_file_written_anew_is_read_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text('{"event": "a"}\n')
    assert follow(path, 10_000).entries[0]["event"] == "a"


def test_a_long_file_is_read_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text("".join(json.dumps({"event": f"e{i}", "pad": "x" * 200}) + "\n" for i in range(3000)))
    offset, events = 0, []
    while True:
        lines = follow(path, offset)
        events += [entry["event"] for entry in lines.entries]
        offset = lines.offset
        if not lines.more:
            break
    assert events == [f"e{i}" for i in range(3000)]


def test_a_line_longer_than_a_chunk_does_not_stop_it(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text(json.dumps({"event": "big", "pad": "x" * 3 * CHUNK}) + '\n{"event": "after"}\n')
    offset, events = 0, []
    for _ in range(10):
        lines = follow(path, offset)
        events += [entry["event"] for entry in lines.entries]
        offset = lines.offset
    assert events == ["after"]


def test_damaged_lines_are_passed_over_and_long_values_cut() -> None:
    assert shown(b"{") is None
    assert shown(b"[1]") is None
    made = shown(json.dumps({"why": "y" * 1000, "deep": {"a": 1}, "ok": True}).encode())
    assert made is not None
    assert made["event"] == "entry"
    assert len(made["text"]) < 200
    assert "deep" not in made["text"]
