"""A worker's line: nothing waits for the other side."""

import asyncio
import threading
from multiprocessing import Pipe

import numpy as np
import pytest

from temperance.deployment.serve import line as home
from temperance.deployment.serve.line import Counts, Line
from temperance.records.errors import RequestError
from temperance.records.schema import Rows


def rows_of(count):
    return Rows(np.zeros((count, 2)), np.zeros((count, 1), dtype=np.int32))


def on_a_line(work, *, reload=None):
    mine, theirs = Pipe()

    async def nothing(version):
        return None

    async def run():
        ended = asyncio.Event()
        line = Line(mine, "v", reload=reload or nothing, ended=ended.set)
        line.start()
        return await work(line, theirs, ended)

    return asyncio.run(run())


def test_what_was_answered_arrives_whole_and_in_order():
    async def work(line, theirs, ended):
        for i in range(5):
            line.observe(rows_of(2), np.full((2, 2), i))
            line.add(f"id{i}", np.full((2, 2), i), more=i == 4)
        line.metrics.request("/predict", 200, seconds=0.1)
        line.metrics.prediction(10, 0.01, requests=5)
        line.flush()
        return [await asyncio.to_thread(theirs.recv) for _ in range(2)]

    ready, seen = on_a_line(work)
    assert ready == ("ready", "v")
    kind, version, (rows, source, idents), counts, dropped = seen
    assert (kind, version, rows.size, dropped) == ("seen", "v", 10, 0)
    assert source[:, 0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert idents == [(f"id{i}", 2, i == 4) for i in range(5)]
    assert counts == ({("/predict", 200): [1, 0.1]}, [(10, 0.01, 5)])


def test_a_question_gets_its_answer():
    async def work(line, theirs, ended):
        def other():
            assert theirs.recv()[0] == "ready"
            _, number, method, _, _, body = theirs.recv()
            theirs.send(("answer", number, (200, method.encode() + body, "text/plain", ())))

        thread = threading.Thread(target=other)
        thread.start()
        answer = await line.ask("POST", "/admin/labels", [], b"x")
        thread.join()
        return answer

    assert on_a_line(work) == (200, b"POSTx", "text/plain", ())


def test_a_silent_other_side_is_said(monkeypatch):
    monkeypatch.setattr(home, "PATIENCE", 0.05)

    async def work(line, theirs, ended):
        with pytest.raises(RequestError) as fault:
            await line.ask("GET", "/health", [], b"")
        return fault.value.status

    assert on_a_line(work) == 503


def test_where_the_other_side_is_behind_rows_are_dropped_and_counted(monkeypatch):
    monkeypatch.setattr(home, "MOST_PARCELS", 1)

    async def work(line, theirs, ended):
        for _ in range(200):
            line.observe(rows_of(1000), np.zeros((1000, 2)))
            line.flush()
        parcels = [parcel async for parcel in arriving(theirs)]
        line.observe(rows_of(1), np.zeros((1, 2)))
        line.flush()
        parcels.append(await asyncio.to_thread(theirs.recv))
        return [parcel for parcel in parcels if parcel[0] == "seen"]

    parcels = on_a_line(work)
    dropped = sum(parcel[4] for parcel in parcels)
    assert dropped > 0
    assert dropped + sum(parcel[2][0].size for parcel in parcels) == 200_001


async def arriving(theirs):
    while await asyncio.to_thread(theirs.poll, 0.3):
        yield theirs.recv()


def test_a_reload_is_confirmed_or_its_fault_told():
    seen = []

    async def reload(version):
        seen.append(version)
        if version == "bad":
            raise ValueError("no such bundle")

    async def work(line, theirs, ended):
        theirs.send(("reload", "w"))
        theirs.send(("reload", "bad"))
        said = [await asyncio.to_thread(theirs.recv) for _ in range(3)]
        return said[1:], line.version

    said, version = on_a_line(work, reload=reload)
    assert sorted(said) == [("reloaded", "bad", "no such bundle"), ("reloaded", "w", "")]
    assert (sorted(seen), version) == (["bad", "w"], "w")


def test_the_end_of_the_other_side_is_noticed():
    async def work(line, theirs, ended):
        theirs.close()
        await asyncio.wait_for(ended.wait(), 5)
        return True

    assert on_a_line(work)


def test_counts_are_taken_once():
    counts = Counts()
    assert counts.taken() is None
    counts.request("/predict", 200, seconds=1.0)
    counts.request("/predict", 200, seconds=1.0)
    assert counts.taken() == ({("/predict", 200): [2, 2.0]}, [])
    assert counts.taken() is None
