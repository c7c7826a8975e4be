from __future__ import annotations

import asyncio
import json
from pathlib import Path

from temperance.app.events import Stream, message


def collect(
    folder: Path, stream: Stream, *, offset: int = 0, looks: int = 1000, at: dict[int, str] | None = None
) -> list[str]:
    """Run a stream; ``at`` writes to the folder when it has been looked at so often."""
    seen = 0

    async def gone() -> bool:
        nonlocal seen
        seen += 1
        if at and seen in at:
            with (folder / "ledger.jsonl").open("a") as file:
                file.write(at[seen])
        if at and seen == max(at) + 1:
            (folder / "study.json").write_text("{}")
        return seen > looks

    async def run() -> list[str]:
        return [part async for part in stream.run(folder, offset, gone)]

    return asyncio.run(run())


FAST = Stream(interval_seconds=0.001, beat_seconds=0.004)


def test_lines_are_sent_as_they_are_written_then_done(tmp_path: Path) -> None:
    parts = collect(tmp_path, FAST, at={2: '{"event": "one"}\n', 4: '{"event": "two"}\n'})
    kept = [part for part in parts if part.startswith("id:")]
    assert [part.split("\n")[1] for part in kept] == ["event: progress", "event: progress", "event: done"]
    data = json.loads(kept[1].split("\n")[2].removeprefix("data: "))
    assert data["entries"] == [{"event": "two", "text": ""}]
    assert kept[1].startswith(f"id: {data['offset']}\n")


def test_it_goes_on_where_it_was_left(tmp_path: Path) -> None:
    first = '{"event": "one"}\n'
    (tmp_path / "ledger.jsonl").write_text(first + '{"event": "two"}\n')
    (tmp_path / "study.json").write_text("{}")
    parts = collect(tmp_path, FAST, offset=len(first))
    assert "two" in parts[1]
    assert not any('"one"' in part for part in parts)


def test_it_stays_open_with_a_silent_line_and_ends_when_nobody_listens(tmp_path: Path) -> None:
    parts = collect(tmp_path, FAST, looks=12)
    assert ": still here\n\n" in parts
    assert not any("event: done" in part for part in parts)


def test_a_message_is_one_line_of_data() -> None:
    assert message("progress", {"text": "a\nb"}, 7) == 'id: 7\nevent: progress\ndata: {"text": "a\\nb"}\n\n'
