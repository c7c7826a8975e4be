"""Large bodies in a process of their own: reading 15 MB of JSON holds an interpreter for a tenth of a second."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from temperance.deployment.serve.answering import Answering, Answers, Packed
from temperance.deployment.serve.limits import Limits
from temperance.records.errors import RequestError, TemperanceError
from temperance.records.schema import Rows

LATER = 10  # niceness of the process
Done = tuple[Packed, Rows, Answers, str]  # the reply for the source's answers, and what others are to see
_at_work: Answering | None = None


class Aside:
    """Reads, answers and writes large bodies in one further process, which starts with the first of them.

    Args:
        folder: of the bundle.
        version: that the process must find there; where another was put in its place, the caller does the work.
        limits: ``work_seconds``: a body that takes longer is given up, and the process is started anew.

    """

    def __init__(self, folder: str, version: str, limits: Limits) -> None:
        self._folder, self._version, self._limits = folder, version, limits
        self._pool: ProcessPoolExecutor | None = None
        self._one = asyncio.Semaphore(1)
        self._users = 0

    async def work(self, kind: str, body: bytes, ident: str, head: bytes) -> Done | None:
        """Return the reply and what monitor and adapter are to see; None where the bundle's folder holds another model.

        Args:
            kind: ``rows`` or ``tensors``.
            body: unpacked.
            ident: of the request.
            head: length of the JSON in front of binary tensors, or nothing.

        Raises:
            RequestError: what is wrong with the body; status 503 where the work took too long or was lost.

        """
        self._users += 1
        try:
            async with self._one:
                found = await self._done(kind, body, ident, head)
        finally:
            self._users -= 1
        if isinstance(found, dict):
            raise RequestError(**found)
        return found

    async def retire(self) -> None:
        """End the process once nobody waits for it: another bundle is served now."""
        while self._users:
            await asyncio.sleep(0.1)
        self.close()

    async def _done(self, kind: str, body: bytes, ident: str, head: bytes) -> Done | dict[str, Any] | None:
        pool = self._started()
        try:
            return await asyncio.wait_for(
                asyncio.get_running_loop().run_in_executor(pool, _work, kind, body, ident, head),
                self._limits.work_seconds,
            )
        except (TimeoutError, BrokenProcessPool) as error:
            self.close()
            what = "takes too long" if isinstance(error, TimeoutError) else "was lost"
            raise RequestError(
                f"the work on this large body {what}", f"at most {self._limits.work_seconds:g} s",
                "Send fewer rows per request", status=503,
            ) from error  # fmt: skip

    def close(self) -> None:
        """End the process."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        processes = [*(pool._processes or {}).values()]
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            with contextlib.suppress(OSError, ValueError):
                process.terminate()

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            spawn = multiprocessing.get_context("spawn")  # a fork would inherit locks of running threads
            self._pool = ProcessPoolExecutor(1, spawn, _open, (self._folder, self._version))
        return self._pool


def _open(folder: str, version: str) -> None:
    """Load the bundle in the process, which goes last where cores are short: small requests are answered meanwhile."""
    global _at_work
    from temperance.deployment.bundle import load

    if hasattr(os, "nice"):  # not on Windows
        os.nice(LATER)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this process
    with contextlib.suppress(TemperanceError):
        bundle = load(folder, verify=False)
        _at_work = Answering(bundle) if bundle.version == version else None


def _work(kind: str, body: bytes, ident: str, head: bytes) -> Done | dict[str, Any] | None:
    """Do the work in the process; a refusal comes back as its parts."""
    if _at_work is None:
        return None
    try:
        asked = (
            _at_work.asked_tensors(body, ident, head=head) if kind == "tensors" else _at_work.asked_rows(body, ident)
        )
        source = _at_work.answers(asked.rows)
        return asked.reply(source), asked.rows, source, asked.ident
    except RequestError as error:
        return {
            "received": error.received, "accepted": error.accepted, "remedy": error.remedy, "status": error.status,
        }  # fmt: skip
