from __future__ import annotations

import asyncio

from temperance.app.events import Stream, message

FAST = Stream(interval_seconds=0.001, beat_seconds=0.004)


def collect(parts: list[tuple[str, bool]], looks: int = 1000) -> list[str]:
    seen = 0

    def look() -> tuple[str, bool]:
        return parts.pop(0) if len(parts) > 1 else parts[0]

    async def gone() -> bool:
        nonlocal seen
        seen += 1
        return seen > looks

    async def run() -> list[str]:
        return [part async for part in FAST.run(look, gone)]

    return asyncio.run(run())


def test_a_part_is_sent_when_it_has_changed_and_then_done() -> None:
    sent = collect([("<p>a</p>", False), ("<p>a</p>", False), ("<p>b</p>", False), ("<p>b</p>", True)])
    assert [one for one in sent if one.startswith("event")] == [
        message("part", "<p>a</p>"), message("part", "<p>b</p>"), message("done", ""),
    ]  # fmt: skip


def test_it_stays_open_with_a_silent_line_and_ends_when_nobody_listens() -> None:
    sent = collect([("a", False)], looks=12)
    assert ": still here\n\n" in sent
    assert message("done", "") not in sent


def test_lines_of_a_part_become_lines_of_data() -> None:
    assert message("part", "a\nb") == "event: part\ndata: a\ndata: b\n\n"
