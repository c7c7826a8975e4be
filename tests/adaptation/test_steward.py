import json

import numpy as np
import pytest

from temperance.adaptation.adapters.label_shift import LabelShift
from temperance.adaptation.experts.base import EXPERTS
from temperance.adaptation.guard import Guarded
from temperance.adaptation.machine import Rules
from temperance.adaptation.steward import Steward, default_experts
from temperance.records.errors import DataError, SettingError
from temperance.records.schema import Rows


def rows(x):
    return Rows(x, np.empty((len(x), 0), dtype=np.int32))


def walk(steward, world, blocks, *, share=0.5, flip=False, delay=0, seed=5, change=lambda x: x, labelled=True):
    """Serve blocks of 50 rows; return the errors of the source and of what was sent, row by row."""
    waiting, lost = [], []
    for k in range(blocks):
        y = world.labels(50, share, seed=seed + k)
        x = world.draw(y, seed=1000 + seed + k)
        y = 1 - y if flip else y
        answers = world.model(change(x))
        sent, tickets = steward.serve(rows(change(x)), answers)
        lost.append([(answers.argmax(axis=1) != y), (sent.argmax(axis=1) != y)])
        waiting.append((tickets, y))
        if labelled and k >= delay:
            steward.feedback(*waiting[k - delay])
    return np.concatenate(lost, axis=1).astype(float)


def made(world, **options):
    return Steward(
        world.reference, world.schema, **{"level": "adapt", "model": lambda r: world.model(r.numeric), **options}
    )


def test_a_relation_that_turned_round_is_learned(world) -> None:
    steward = made(world)
    lost = walk(steward, world, 60, flip=True, delay=2)
    assert lost[0, -1000:].mean() > 0.7
    assert lost[1, -1000:].mean() < 0.3
    assert [e["event"] for e in steward.log.events][:2] == ["promote", "settle"]
    assert steward.log.intact()
    assert steward.summary()["serving"] == "experts"


def test_unchanged_traffic_is_handed_on_as_it_came(world) -> None:
    steward = made(world)
    x = world.draw(world.labels(50, 0.5, seed=1), seed=2)
    answers = world.model(x)
    sent, _ = steward.serve(rows(x), answers)
    assert sent is answers
    lost = walk(steward, world, 60)
    assert lost[1].mean() <= lost[0].mean() + 0.005


def test_observe_touches_nothing_and_shadow_serves_the_source(world) -> None:
    quiet, shadow = made(world, level="observe"), made(world, level="shadow")
    x = world.draw(world.labels(50, 0.5, seed=1), seed=2)
    answers = world.model(x)
    sent, tickets = quiet.serve(rows(x), answers)
    assert sent is answers
    assert quiet.feedback(tickets, np.zeros(50)) == 0
    lost = walk(shadow, world, 40, flip=True)
    assert np.array_equal(lost[0], lost[1])
    assert shadow.summary()["serving"] == "experts"


def test_rollback_and_freeze_are_bit_exact(world) -> None:
    steward = made(world)
    walk(steward, world, 40, flip=True)
    assert steward.serving == "experts"
    steward.rollback("owner asked")
    x = world.draw(world.labels(50, 0.5, seed=1), seed=2)
    answers = world.model(x)
    assert steward.serve(rows(x), answers)[0] is answers
    steward.freeze()
    walk(steward, world, 40, flip=True)
    assert steward.serving == "source"
    steward.thaw()
    walk(steward, world, 40, flip=True)
    assert steward.serving == "experts"
    assert steward.log.events[-1]["event"] in ("promote", "settle")


def test_wrong_labels_do_not_lead_it_away_for_long(world) -> None:
    """Labels say the opposite; once true ones come again, the change is taken back."""
    steward = made(world)
    walk(steward, world, 40, flip=True)
    lost = walk(steward, world, 40, seed=500)
    assert lost[1, -500:].mean() <= lost[0, -500:].mean() + 0.01


def test_a_strange_input_is_moved_back_without_labels(world) -> None:
    steward = made(world)
    walk(steward, world, 10, labelled=False)
    lost = walk(steward, world, 20, labelled=False, change=lambda x: x + np.array([30.0, 0.0]), seed=90)
    assert steward.serving == "alignment"
    assert lost[0].mean() > 0.4
    assert lost[1, -400:].mean() < 0.25
    walk(steward, world, 20, labelled=False, seed=300)
    assert steward.serving == "source"
    assert "as usual" in steward.log.events[-1]["reason"]


def test_class_shares_move_without_labels(world) -> None:
    steward = made(world, unlabelled=Guarded(LabelShift(), world.reference, level="adapt"))
    lost = walk(steward, world, 60, share=0.95, labelled=False)
    assert steward.serving == "shares"
    assert lost[1, -1000:].mean() < lost[0, -1000:].mean()


def test_answers_that_are_no_numbers_are_never_sent(world) -> None:
    class Broken(type(EXPERTS["Alignment"]())):
        def apply(self, state, traffic):
            return np.full_like(traffic.answers, np.nan)

    steward = made(world, experts=[Broken()], rules=Rules(promote_at=1.5, trial=0))
    lost = walk(steward, world, 20)
    assert np.array_equal(lost[0], lost[1])


def test_what_it_says_is_json(world) -> None:
    steward = made(world)
    assert "nothing is proven" in steward.summary()["reason"]
    walk(steward, world, 30, flip=True)
    json.dumps(steward.summary())
    json.dumps(steward.log.events)
    assert "labels prove" in steward.summary()["reason"]
    steward.freeze()
    assert steward.summary()["reason"] == "frozen by the owner"


@pytest.mark.parametrize("blocks", [3, 14, 30])
def test_after_a_restart_it_goes_on_bit_for_bit(world, blocks) -> None:
    """Rows that wait for their labels, evidence, the bank, the log and the guard of class shares are in the state."""
    one, other = (
        made(world, unlabelled=Guarded(LabelShift(), world.reference, level="adapt")) for _ in range(2)
    )  # fmt: skip
    waiting = []
    for k in range(2 * blocks):
        if k == blocks:
            other.load_state_dict(one.state_dict())
        y = world.labels(50, 0.3, seed=k)
        x = world.draw(y, seed=1000 + k)
        both = [steward.serve(rows(x), world.model(x)) for steward in ((one, other) if k >= blocks else (one,))]
        assert all(np.array_equal(sent, both[0][0]) and np.array_equal(t, both[0][1]) for sent, t in both)
        waiting.append((both[0][1], 1 - y))
        if k >= 4:
            assert len({s.feedback(*waiting[k - 4]) for s in ((one, other) if k >= blocks else (one,))}) == 1
    assert one.summary() == other.summary()
    assert one.log.events == other.log.events
    states = one.state_dict(), other.state_dict()
    assert states[0].keys() == states[1].keys()
    assert [k for k in states[0] if states[0][k].tobytes() != states[1][k].tobytes()] == []


def test_the_state_of_other_experts_is_refused(world) -> None:
    with pytest.raises(DataError, match="experts"):
        made(world, experts=[]).load_state_dict(made(world).state_dict())


def test_a_relation_that_turns_as_fast_as_labels_come_costs_little(world) -> None:
    """Labels 500 rows late, turns of 500 rows: each change is proven when it is already wrong."""
    steward, waiting, lost = made(world), [], []
    for k in range(80):
        flip = (k // 10) % 2 == 0
        y = world.labels(50, 0.5, seed=k)
        x = world.draw(y, seed=2000 + k)
        y = 1 - y if flip else y
        answers = world.model(x)
        sent, tickets = steward.serve(rows(x), answers)
        lost.append((sent.argmax(axis=1) != y).sum() - (answers.argmax(axis=1) != y).sum())
        waiting.append((tickets, y))
        if k >= 10:
            steward.feedback(*waiting[k - 10])
    assert sum(lost) < 20


def test_labels_are_checked(world) -> None:
    steward = made(world)
    x = world.draw(world.labels(4, 0.5, seed=1), seed=2)
    _, tickets = steward.serve(rows(x), world.model(x))
    for truth in (np.array([0, 1, 2, 0]), np.array([0, np.nan, 1, 0])):
        with pytest.raises(DataError, match="no class"):
            steward.feedback(tickets, truth)
    with pytest.raises(DataError, match="one each"):
        steward.feedback(tickets, np.zeros(3))
    assert steward.feedback(tickets, np.zeros(4)) == 4
    assert steward.feedback(tickets - 9, np.zeros(4)) == 0, "rows of before what is kept"
    with pytest.raises(SettingError, match="level"):
        made(world, level="boldly")


def test_default_experts_are_all_that_are_registered() -> None:
    assert len(default_experts()) == len(EXPERTS)
