"""A live part of a page, as server-sent events: it is sent anew whenever it has changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

Look = Callable[[], tuple[str, bool]]
"""Returns the part as HTML, and whether nothing more will happen."""


@dataclass(frozen=True)
class Stream:
    """Settings of the stream: how often is looked, and how often a silent line keeps it open."""

    interval_seconds: float = 1.0
    beat_seconds: float = 15.0

    async def run(self, look: Look, gone: Callable[[], Awaitable[bool]]) -> AsyncIterator[str]:
        """Yield ``part`` events with HTML, then one ``done`` when it is over."""
        yield "retry: 2000\n\n"
        shown, silent = "", 0.0
        while not await gone():
            part, over = await asyncio.to_thread(look)
            if part != shown:
                yield message("part", part)
                shown, silent = part, 0.0
            if over:
                yield message("done", "")
                return
            if silent >= self.beat_seconds:
                yield ": still here\n\n"
                silent = 0.0
            await asyncio.sleep(self.interval_seconds)
            silent += self.interval_seconds


def message(event: str, text: str) -> str:
    """Write one server-sent event; a line break in its text becomes one in its data."""
    data = "\n".join(f"data: {line}" for line in text.splitlines() or [""])
    return f"event: {event}\n{data}\n\n"
