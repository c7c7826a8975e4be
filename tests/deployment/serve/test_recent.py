"""Answers are found by id, the oldest go first."""

import numpy as np
import pytest

from temperance.deployment.serve.recent import AT_ONCE, Recent
from temperance.records.errors import RequestError


def answers(count, value=0.0):
    return np.full((count, 2), value)


def test_the_oldest_rows_go_first():
    recent = Recent((2,), most=5)
    for i in range(4):
        recent.add(f"r{i}", answers(2, i))
    with pytest.raises(RequestError, match="'r1'") as caught:
        recent.get("r1")
    assert caught.value.status == 404
    assert recent.get("r3").answers.tolist() == [[3, 3], [3, 3]]
    assert recent.last(3)[:, 0].tolist() == [2, 3, 3]
    recent.add("large", answers(6))
    assert recent.last(9)[:, 0].tolist() == [2, 2, 3, 3]


def test_an_id_that_comes_again_stands_for_the_later_request_and_goes_when_taken():
    recent = Recent((2,), most=5)
    recent.add("a", answers(2, 1))
    recent.add("a", answers(3, 2))
    assert recent.get("a").answers[:, 0].tolist() == [2, 2, 2]
    recent.take("a")
    recent.take("a")
    assert len(recent.last(5)) == 0
    for i in range(5):
        recent.add(f"b{i}", answers(1))
    assert len(recent.last(9)) == 5


@pytest.mark.parametrize("width", [(2,), ()])
def test_state_goes_on(width):
    recent, other = Recent(width), Recent(width)
    other.load_state_dict(recent.state_dict())
    assert other.last(3).shape == (0, *width)
    recent.add("a", np.ones((2, *width)))
    recent.add("b", np.zeros((1, *width)))
    other.load_state_dict(recent.state_dict())
    assert np.array_equal(other.last(9), recent.last(9))
    assert np.array_equal(other.get("b").answers, recent.get("b").answers)


def test_large_requests_come_in_parts_and_keep_their_tickets():
    recent, other = Recent((2,), most=5), Recent((2,), most=5)
    recent.add("a", answers(2, 1), np.array([7, 8]))
    recent.add("a", answers(1, 2), np.array([11]), more=True)
    recent.add("b", answers(1))
    assert recent.get("a").answers[:, 0].tolist() == [1, 1, 2]
    assert recent.get("a").tickets.tolist() == [7, 8, 11]
    assert recent.get("b").tickets.tolist() == [-1]
    other.load_state_dict(recent.state_dict())
    assert other.get("a").tickets.tolist() == [7, 8, 11]
    old = {k: v for k, v in recent.state_dict().items() if k != "tickets"}
    other.load_state_dict(old)
    assert other.get("a").tickets.tolist() == [-1, -1, -1]
    recent.add("a", answers(3), more=True)  # 6 rows: too large by now
    recent.add("a", answers(1), more=True)
    with pytest.raises(RequestError, match="'a'"):
        recent.get("a")
    assert len(recent.last(9)) == 1


def test_many_requests_are_joined_in_steps_and_come_back_in_order():
    recent, other = Recent((2,)), Recent((2,))
    for i in range(2 * AT_ONCE + 7):
        recent.add(f"r{i}", answers(1 + i % 3, i), np.full(1 + i % 3, i))
    other.load_state_dict(recent.state_dict())
    assert np.array_equal(other.last(9999), recent.last(9999))
    assert other.get(f"r{AT_ONCE + 1}").tickets.tolist() == [AT_ONCE + 1] * 3
    assert all(np.array_equal(v, other.state_dict()[k]) for k, v in recent.state_dict().items())
