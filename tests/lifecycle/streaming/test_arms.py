import numpy as np
import pytest

from temperance.lifecycle.streaming.arms import Adapted, Alarmed, Persistence, Scheduled, Static


@pytest.fixture(scope="module")
def first(table, quickly):
    return quickly(table.take(np.arange(300)))


def walk(arm, table, *, start=300, batch=50):
    right = []
    for i in range(start, len(table), batch):
        index = np.arange(i, min(i + batch, len(table)))
        answers = arm.answer(table.rows.take(index), index)
        right.append(answers.argmax(axis=1) == table.target[index])
        arm.tell(index, table.target[index])
    return np.concatenate(right)


def test_static_stays_as_it_is(table, first) -> None:
    arm = Static(model=first)
    right = walk(arm, table)
    assert right[:300].mean() > 0.85
    assert right[-300:].mean() < 0.15
    assert (arm.retrainings, arm.seconds) == (0, 0.0)
    assert arm.answering > 0


def test_scheduled_trains_when_it_is_time(table, first) -> None:
    trained = []

    def train(index):
        trained.append(index)
        return first

    arm = Scheduled(model=first, train=train, every=400, window=350, first=300)
    walk(arm, table)
    assert [(int(i[0]), int(i[-1])) for i in trained] == [(350, 699), (750, 1099), (1150, 1499)]
    assert arm.retrainings == 3
    assert arm.events[0]["event"] == "retrain"


def test_alarmed_trains_after_the_relation_turned(table, first, quickly) -> None:
    arm = Alarmed(model=first, train=lambda i: quickly(table.take(i)), wait=200, window=400)
    right = walk(arm, table)
    kinds = [event["event"] for event in arm.events]
    assert kinds[:2] == ["alarm", "retrain"]
    assert 600 < arm.events[0]["row"] < 800
    assert right[-300:].mean() > 0.8


def test_adapted_wins_back_what_the_turn_cost(table, first) -> None:
    arm = Adapted(model=first)
    right = walk(arm, table)
    assert right[-300:].mean() > 0.75
    assert arm.retrainings == 0
    assert arm.seconds > 0


def test_persistence_repeats_the_truth_as_late_as_it_is_known(table) -> None:
    arm = Persistence(known=np.array([0, 1, 1, 0, 1]), classes=2, delay=1)
    rows = table.rows.take(np.arange(2))
    assert arm.answer(rows, np.array([3, 4])).argmax(axis=1).tolist() == [1, 1]
    values = Persistence(known=np.array([1.5, 2.5, 3.5]))
    assert values.answer(rows, np.array([1, 2])).tolist() == [1.5, 2.5]
