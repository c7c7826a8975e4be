"""Bodies to rows to replies; the whole way over HTTP is in test_application.py."""

import json

import numpy as np
import pytest

from temperance.deployment.bundle import load
from temperance.deployment.serve.answering import Answering, Whose, check_finite, parsed
from temperance.deployment.serve.metrics import Metrics
from temperance.records.errors import RequestError

ROW = {"x0": 1.0, "x1": 5e6, "x2": None, "x3": 2, "c0": "red", "c1": "yes"}


class Seen:
    def __init__(self):
        self.rows, self.idents = 0, []

    def observe(self, rows, predictions):
        self.rows += rows.size
        return ()

    def add(self, ident, predictions, tickets=None, *, more=False):
        self.idents.append((ident, len(predictions), more, None if tickets is None else tickets.tolist()))


class Turn:
    """An adapter."""

    def __init__(self):
        self.rows = 0

    def serve(self, rows, answers):
        self.rows += len(answers)
        return answers[:, ::-1], np.arange(self.rows - len(answers), self.rows)


@pytest.fixture(scope="module")
def bundle(shipped):
    return load(shipped)


def test_a_body_is_answered_in_three_steps(bundle):
    seen, metrics = Seen(), Metrics("m", "v")
    one = Answering(bundle, watcher=seen, recent=seen, metrics=metrics)
    asked = one.asked_rows(json.dumps({"rows": [ROW, ROW]}).encode(), "mine")
    sent = one.serve(asked.rows, asked.ident)
    reply = asked.reply(sent)
    assert reply.data == b""
    assert len(json.loads(reply.head)["predictions"]) == 2
    assert (seen.rows, seen.idents, metrics.rows) == (2, [("mine", 2, False, None)], 2)


def test_several_requests_share_a_run_and_keep_their_ids(bundle):
    seen = Seen()
    one = Answering(bundle, watcher=seen, recent=seen)
    asked = one.asked_rows(json.dumps([ROW] * 3).encode())
    sent = one.serve_many(asked.rows, [Whose("a", 1), Whose("b", 2)])
    assert (len(sent), seen.rows) == (3, 3)
    assert seen.idents == [("a", 1, False, None), ("b", 2, False, None)]


def test_many_rows_are_shown_in_slices(bundle):
    seen = Seen()
    one = Answering(bundle, watcher=seen, recent=seen, adapter=Turn())
    asked = one.asked_rows(json.dumps([ROW] * 600).encode(), "x")
    sent = one.serve(asked.rows, asked.ident)
    assert one.watcher.rows == 600
    assert np.ptp(sent, axis=0).max() == 0
    assert np.array_equal(sent, one.answers(asked.rows)[:, ::-1])
    assert [(count, more) for _, count, more, _ in seen.idents] == [(256, False), (256, True), (88, True)]
    assert [one for *_, tickets in seen.idents for one in tickets] == [*range(600)]


def test_a_row_without_a_finite_answer_is_named():
    check_finite(np.zeros((3, 2)))
    with pytest.raises(RequestError, match="row 1") as fault:
        check_finite(np.array([0.0, np.inf]))
    assert fault.value.status == 422


def test_what_is_no_json_is_said():
    with pytest.raises(RequestError, match="JSON"):
        parsed(b"{")
