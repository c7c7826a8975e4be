"""Small requests that arrive together are answered together: one run of the graph, one look of the monitor."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import NamedTuple

import numpy as np

from temperance.deployment.serve.answering import SLICE, Answering, Answers, Whose
from temperance.records.errors import RequestError
from temperance.records.schema import Rows

log = logging.getLogger(__name__)
PROBE = 16  # where requests come one by one, each so many-th is made to wait for company, to notice a change


class Waiting(NamedTuple):
    """A request whose answer somebody awaits."""

    rows: Rows
    ident: str
    future: asyncio.Future[Answers]


class Gather:
    """Answers rows, alone or in company; nobody waits longer than the requests that are already here take to read.

    Where the last ones came one by one, a request is answered at once: waiting would only cost. ``together`` counts
    rows that shared a run, ``runs`` the runs.
    """

    def __init__(self, answering: Answering) -> None:
        self.answering = answering
        self._waiting: list[Waiting] = []
        self._rows = 0
        self._alone = 0
        self._busy = False
        self.runs = self.together = 0

    async def answer(self, rows: Rows, ident: str) -> Answers:
        """Return what is sent for rows.

        Shapes: probabilities (b, c) or values (b,).

        Raises:
            RequestError: a row of this request has no finite answer.

        """
        self._alone += 1
        if (not self._busy and not self._waiting and self._alone % PROBE) or rows.size >= SLICE:
            self.runs += 1
            return self.answering.serve(rows, ident)
        loop = asyncio.get_running_loop()
        one = Waiting(rows, ident, loop.create_future())
        if not self._waiting:
            loop.call_soon(self._flush)
        self._waiting.append(one)
        self._rows += rows.size
        if self._rows >= SLICE:
            self._flush()
        return await one.future

    def _flush(self) -> None:
        group, self._waiting, self._rows = self._waiting, [], 0
        if not group:
            return
        self._busy = len(group) > 1
        if len(group) > 1:
            try:
                with contextlib.suppress(RequestError):  # one cannot be answered: each alone, so that the others are
                    self._all(group)
                    return
            except Exception:
                log.exception("%d requests failed together; each is answered alone", len(group))
        for one in group:
            try:
                self.runs += 1
                sent = self.answering.serve(one.rows, one.ident)
            except Exception as error:
                _settle(one, error)
            else:
                _settle(one, sent)

    def _all(self, group: list[Waiting]) -> None:
        rows = Rows.stack([one.rows for one in group])
        sent = self.answering.serve_many(rows, [Whose(one.ident, one.rows.size) for one in group])
        self.runs += 1
        self.together += rows.size
        ends = np.cumsum([one.rows.size for one in group])[:-1]
        for one, part in zip(group, np.split(sent, ends), strict=True):
            _settle(one, part)


def _settle(one: Waiting, outcome: Answers | Exception) -> None:
    if one.future.done():  # the client went away, or the server stops
        return
    if isinstance(outcome, Exception):
        one.future.set_exception(outcome)
    else:
        one.future.set_result(outcome)
