import numpy as np
import pytest

from temperance.adaptation.memory import Labelled, Pending, Waiting
from temperance.adaptation.traffic import Traffic
from temperance.records.errors import DataError


def block(first: int, count: int) -> Waiting:
    answers = np.arange(first, first + count, dtype=np.float64)
    return Waiting(Traffic(answers), np.stack([answers, -answers]), answers / 2, answers > 5)


def test_labels_find_what_was_said_when_the_row_was_served() -> None:
    pending = Pending(100)
    for first in (0, 3, 7):
        tickets = pending.add(block(first, 4 if first == 3 else 3))
    assert tickets.tolist() == [7, 8, 9]
    found, kept = pending.take(np.array([8, 0, 4]))
    assert kept.tolist() == [0, 1, 2]
    assert found.traffic.answers.tolist() == [8, 0, 4]
    assert found.experts[1].tolist() == [-8, 0, -4]
    assert found.mixed.tolist() == [4, 0, 2]
    assert found.sent.tolist() == [True, False, False]


def test_old_rows_are_forgotten_and_foreign_ones_refused() -> None:
    pending = Pending(5)
    for first in range(0, 20, 4):
        pending.add(block(first, 4))
    found, kept = pending.take(np.array([1, 19]))
    assert kept.tolist() == [1]
    assert found.traffic.answers.tolist() == [19]
    with pytest.raises(DataError, match="kept any more"):
        pending.take(np.array([0]))
    with pytest.raises(DataError, match="ticket 20"):
        pending.take(np.array([20]))


def test_labelled_rows_keep_their_order_and_their_number() -> None:
    known = Labelled(5)
    for first in (0, 3, 6):
        known.add(block(first, 3).traffic, np.arange(first, first + 3))
    traffic, truth = known.all()
    assert traffic.answers.tolist() == truth.tolist() == [4, 5, 6, 7, 8]


def test_the_state_goes_on_exactly() -> None:
    pending, known = Pending(100), Labelled(5)
    others = Pending(100), Labelled(5)
    others[0].load_state_dict(pending.state_dict())
    others[1].load_state_dict(known.state_dict())
    for first in (0, 3):
        pending.add(block(first, 3))
        known.add(block(first, 3).traffic, np.arange(first, first + 3))
    others[0].load_state_dict(pending.state_dict())
    others[1].load_state_dict(known.state_dict())
    found = [one.take(np.array([4, 1]))[0] for one in (pending, others[0])]
    assert np.array_equal(found[0].experts, found[1].experts)
    assert np.array_equal(found[0].sent, found[1].sent)
    assert others[0].add(block(6, 2)).tolist() == pending.add(block(6, 2)).tolist() == [6, 7]
    assert np.array_equal(known.all()[1], others[1].all()[1])


def test_a_row_is_too_old_whatever_parts_rows_came_in() -> None:
    """After a restart all rows are one part."""
    pending, other = Pending(5), Pending(5)
    for first in range(0, 20, 2):
        pending.add(block(first, 2))
    other.load_state_dict(pending.state_dict())
    assert pending.oldest == other.oldest == 15
