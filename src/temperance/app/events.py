"""The live stream of one study, as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temperance.app.folders import over
from temperance.app.progress import follow


@dataclass(frozen=True)
class Stream:
    """Settings of the stream: how often the ledger is looked at, and how often a silent line keeps it open."""

    interval_seconds: float = 0.5
    beat_seconds: float = 15.0

    async def run(self, folder: Path, offset: int, gone: Callable[[], Awaitable[bool]]) -> AsyncIterator[str]:
        """Yield ``progress`` events with the offset as their id, then one ``done`` when the study is over."""
        yield "retry: 2000\n\n"
        silent = 0.0
        while not await gone():
            finished = over(folder)
            lines = await asyncio.to_thread(follow, folder / "ledger.jsonl", offset)
            if lines.entries:
                yield message("progress", lines.to_dict(), lines.offset)
                silent = 0.0
            offset = lines.offset
            if lines.more:
                continue
            if finished:
                yield message("done", {"offset": offset}, offset)
                return
            if silent >= self.beat_seconds:
                yield ": still here\n\n"
                silent = 0.0
            await asyncio.sleep(self.interval_seconds)
            silent += self.interval_seconds


def message(event: str, data: dict[str, Any], number: int) -> str:
    """Write one server-sent event; its data is one line of JSON."""
    return f"id: {number}\nevent: {event}\ndata: {json.dumps(data)}\n\n"
