"""Events are values: to a line of the ledger and back."""

import json

import pytest

from temperance.records.plain_json import dumps
from temperance.study.events import EVENTS, Chosen, Marked, Stopped, Tried, from_row


@pytest.mark.parametrize("cls", EVENTS.values(), ids=EVENTS.keys())
def test_round_trip(cls):
    event = cls(at=2.5)
    assert from_row(json.loads(dumps(event.to_dict()))) == event


def test_values_come_back():
    for event in (
        Chosen(winner="t001", comparison=({"p": 0.5},), frontier=("t001", "t002"), fit_seconds=3.0),
        Tried(spec={"id": "t001"}, result={"status": "done", "list": [1, 2]}, quality=0.0),
    ):
        assert from_row(json.loads(dumps(event.to_dict()))) == event


def test_a_loss_that_is_no_number_becomes_none():
    assert from_row(json.loads(dumps(Marked(loss=float("nan")).to_dict()))).loss is None


def test_newer_ledgers_can_be_read():
    assert from_row({"event": "something newer"}) is None
    assert from_row({"event": "stopped", "at": 1.0, "newer": 3}) == Stopped(at=1.0)
