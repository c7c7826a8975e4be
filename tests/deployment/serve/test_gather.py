"""Requests that arrive together share a run of the graph."""

import asyncio
import json

import numpy as np
import pytest

from temperance.deployment.bundle import load
from temperance.deployment.serve.answering import Answering
from temperance.deployment.serve.gather import Gather
from temperance.records.errors import RequestError

ROW = {"x0": 1.0, "x1": 5e6, "x2": None, "x3": 2, "c0": "red", "c1": "yes"}


@pytest.fixture(scope="module")
def answering(shipped):
    return Answering(load(shipped))


def rows_of(answering, count, value):
    return answering.asked_rows(json.dumps([{**ROW, "x0": value}] * count).encode()).rows


def test_together_they_get_what_each_gets_alone(answering):
    gather = Gather(answering)
    asked = [rows_of(answering, 1 + i % 3, i / 10) for i in range(60)]

    async def together():
        return await asyncio.gather(*(gather.answer(rows, str(i)) for i, rows in enumerate(asked)))

    for _ in range(2):
        found = asyncio.run(together())
    assert gather.together > 0
    assert gather.runs < 120
    for rows, sent in zip(asked, found, strict=True):
        assert np.array_equal(sent, answering.serve(rows))


def test_one_by_one_they_are_answered_at_once(answering):
    gather = Gather(answering)

    async def one_by_one():
        for _ in range(40):
            await gather.answer(rows_of(answering, 1, 0.0), "")

    asyncio.run(one_by_one())
    assert (gather.runs, gather.together) == (40, 0)


def test_a_bad_row_fails_its_own_request_alone(answering):
    gather = Gather(answering)
    gather._busy = True
    asked = [rows_of(answering, 1, 0.0), rows_of(answering, 1, 1.7e308), rows_of(answering, 1, 1.0)]
    asked[1].numeric[:] = 1.7e308

    async def together():
        return await asyncio.gather(*(gather.answer(rows, "") for rows in asked), return_exceptions=True)

    found = asyncio.run(together())
    assert [isinstance(one, RequestError) for one in found] == [False, True, False]
    assert found[1].status == 422


def test_a_client_that_went_away_does_not_disturb(answering):
    gather = Gather(answering)
    gather._busy = True

    async def run():
        first = asyncio.create_task(gather.answer(rows_of(answering, 1, 0.0), ""))
        second = asyncio.create_task(gather.answer(rows_of(answering, 1, 1.0), ""))
        await asyncio.sleep(0)
        first.cancel()
        return await asyncio.gather(first, second, return_exceptions=True)

    gone, sent = asyncio.run(run())
    assert isinstance(gone, asyncio.CancelledError)
    assert sent.shape == (1, 2)
