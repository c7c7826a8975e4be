"""What one client may cost the others: bytes, connections, seconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from temperance.records.errors import RequestError, SettingError


@dataclass(frozen=True)
class Limits:
    """Limits of a server; what goes beyond is refused with a status that says so, never held.

    Attributes:
        body: bytes of one body; more gets 413.
        memory: bytes of all bodies together that are being received or worked on; more gets 503 with Retry-After.
            Bodies up to ``small`` bytes do not count, so large ones cannot keep them out.
        small: bytes up to which a body is answered at once; larger ones wait for each other, one at a time.
        head: bytes of a request's line and headers; more gets 431.
        connections: open at once; one more takes the place of the one that has waited longest for its request.
        head_seconds: from the first byte, or from the connection, to the end of the headers; then 408.
        body_seconds: grace of a body, beside one second per ``slowest`` bytes that arrived; then 408.
        slowest: bytes per second below which a body counts as stalled, after the grace.
        work_seconds: a large body whose work takes longer is given up with 503.
        answer_seconds: an answer of which nothing was taken for so long is given up.
        drain_seconds: time to finish what is under way at a stop.

    """

    body: int = 16 * 2**20
    memory: int = 24 * 2**20
    small: int = 256 * 1024
    head: int = 64 * 1024
    connections: int = 4096
    head_seconds: float = 10.0
    body_seconds: float = 10.0
    slowest: int = 16 * 1024
    work_seconds: float = 60.0
    answer_seconds: float = 30.0
    drain_seconds: int = 10

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise SettingError(f"{name}={value}", "a number above 0", "Leave it out for the default")


class Held:
    """Counts the bytes of large bodies that are held at once."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.bytes = limits, 0

    @contextmanager
    def body(self) -> Iterator[Hold]:
        """Hold one body until the block ends."""
        hold = Hold(self)
        try:
            yield hold
        finally:
            self.bytes -= hold.counted


class Hold:
    """The part of one body in what is held."""

    def __init__(self, held: Held) -> None:
        self._held, self.counted = held, 0

    def check(self, total: int) -> None:
        """Refuse a body of ``total`` bytes that is larger than any may be.

        Raises:
            RequestError: 413.

        """
        if total > self._held.limits.body:
            raise RequestError(
                "the body is too large", f"at most {self._held.limits.body} bytes", "Send fewer rows per request",
                status=413,
            )  # fmt: skip

    def grow(self, total: int) -> None:
        """Say that the body has ``total`` bytes by now.

        Raises:
            RequestError: 413, it is too large; 503, too much is held already.

        """
        self.check(total)
        held, limits = self._held, self._held.limits
        if total <= limits.small:
            return
        more = total - self.counted
        if held.bytes + more > limits.memory:
            raise RequestError("the server is busy with large bodies", "", "Send it again in a second", status=503)
        held.bytes, self.counted = held.bytes + more, total
