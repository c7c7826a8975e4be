"""Bodies to rows to replies; the whole way over HTTP is in test_application.py."""

import json

import numpy as np
import pytest

from temperance.deployment.bundle import load
from temperance.deployment.serve.answering import Answering, check_finite, parsed
from temperance.deployment.serve.metrics import Metrics
from temperance.records.errors import RequestError

ROW = {"x0": 1.0, "x1": 5e6, "x2": None, "x3": 2, "c0": "red", "c1": "yes"}


class Seen:
    def __init__(self):
        self.rows, self.idents = 0, []

    def observe(self, rows, predictions):
        self.rows += rows.size
        return ()

    def add(self, ident, predictions):
        self.idents.append((ident, len(predictions)))


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
    assert (seen.rows, seen.idents, metrics.rows) == (2, [("mine", 2)], 2)


def test_several_requests_share_a_run_and_keep_their_ids(bundle):
    seen = Seen()
    one = Answering(bundle, watcher=seen, recent=seen)
    asked = one.asked_rows(json.dumps([ROW] * 3).encode())
    sent = one.serve_many(asked.rows, [("a", 1), ("b", 2)])
    assert (len(sent), seen.idents, seen.rows) == (3, [("a", 1), ("b", 2)], 3)


def test_many_rows_are_shown_in_slices(bundle):
    one = Answering(bundle, watcher=Seen())
    asked = one.asked_rows(json.dumps([ROW] * 600).encode())
    sent = one.serve(asked.rows)
    assert one.watcher.rows == 600
    assert np.ptp(sent, axis=0).max() == 0


def test_a_row_without_a_finite_answer_is_named():
    check_finite(np.zeros((3, 2)))
    with pytest.raises(RequestError, match="row 1") as fault:
        check_finite(np.array([0.0, np.inf]))
    assert fault.value.status == 422


def test_what_is_no_json_is_said():
    with pytest.raises(RequestError, match="JSON"):
        parsed(b"{")
