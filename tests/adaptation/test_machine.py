import numpy as np
import pytest

from temperance.adaptation.machine import Machine, Restarting, Rules
from temperance.records.errors import DataError, SettingError

GOOD, BAD = np.full(20, 0.5), np.full(20, -0.5)

HARM = "labels prove harm, or no gain that is worth it"


def run(machine: Machine, differences: np.ndarray) -> list[str]:
    return [machine.judge(np.array([d]), np.array([np.sign(d)])) for d in differences]


def test_gain_leads_through_the_canary_phase_to_adapted_and_harm_back() -> None:
    machine = Machine(Rules(promote_at=50, return_at=50, trial=10))
    said = run(machine, GOOD)
    assert said.index("settle") - said.index("promote") == 10
    assert machine.phase == "adapted"
    assert HARM in run(machine, BAD)
    assert machine.phase == "source"
    assert machine.quiet == Rules().cooldown


def test_a_long_good_time_does_not_hide_harm() -> None:
    machine = Machine(Rules(promote_at=50, return_at=50, trial=10))
    run(machine, np.full(2000, 0.5))
    said = run(machine, np.full(40, -0.5))
    assert HARM in said


def test_wrong_answers_count_although_losses_look_better() -> None:
    machine = Machine(Rules(promote_at=2, return_at=50, trial=0))
    machine.start()
    for _ in range(60):
        machine.judge(np.array([1.0]), np.array([-1.0]))
    assert machine.phase == "source"


def test_without_gain_a_change_is_rarely_begun() -> None:
    rng = np.random.default_rng(0)
    begun = 0
    for _ in range(100):
        machine = Machine(Rules(promote_at=2000))
        begun += "promote" in run(machine, rng.choice([-0.5, 0.5], 200))
    assert begun <= 10  # at most 200 / 2000 of the runs, in the mean


def test_without_labels_it_goes_back() -> None:
    machine = Machine(Rules(most_unlabelled=100))
    machine.start()
    assert machine.tick(100) == ""
    assert "label" in machine.tick(1)
    assert machine.phase == "source"
    assert machine.tick(1) == ""


def test_frozen_nothing_begins() -> None:
    machine = Machine(Rules(promote_at=10))
    machine.frozen = True
    assert set(run(machine, GOOD)) == {""}


def test_cooldown_grows_with_each_return() -> None:
    machine = Machine(Rules(cooldown=100))
    for expected in (100, 200, 400, 800, 800):
        machine.start()
        machine.back("x", forced=True)
        assert machine.quiet == expected


def test_the_state_goes_on_exactly() -> None:
    rng = np.random.default_rng(0)
    one, other = Machine(), Machine()
    run(one, rng.normal(0.1, 0.3, 60).clip(-1, 1))
    other.load_state_dict(one.state_dict())
    rest = rng.normal(0.2, 0.3, 60).clip(-1, 1)
    assert run(one, rest) == run(other, rest)
    assert all(np.array_equal(v, other.state_dict()[k]) for k, v in one.state_dict().items())


def test_what_is_out_of_range_is_refused() -> None:
    with pytest.raises(SettingError, match="rule"):
        Rules(promote_at=1)
    with pytest.raises(SettingError, match="rule"):
        Rules(credit=0)
    with pytest.raises(DataError, match="outside"):
        Restarting().observe(np.array([1.1]))


def test_after_a_lost_change_it_holds_off_for_long() -> None:
    machine = Machine(Rules(promote_at=50, return_at=50, trial=0, cooldown=0, holdoff=1000))
    run(machine, GOOD[:10])
    assert machine.phase == "adapted"
    run(machine, np.full(30, -0.5))
    assert machine.phase == "source"
    assert machine.balance < -2
    assert set(run(machine, np.full(300, 0.5))) == {""}
    machine.rest(1000)
    assert run(machine, GOOD[:1]) == ["promote"]
    run(machine, np.full(300, -0.5))
    machine.rest(1000)
    assert set(run(machine, np.full(300, 0.5))) == {""}, "the second loss doubles the time"
    machine.rest(1000)
    assert "promote" in run(machine, GOOD)


def test_what_wins_too_little_is_not_begun_and_ends() -> None:
    """Wrong labels make a small gain out of a loss; a change has to win more than that."""
    little = np.full(4000, 0.003)
    machine = Machine(Rules(worth=0.05))
    machine.judge(little, little)
    assert machine.phase == "source"
    machine = Machine(Rules(worth=0.0))
    machine.judge(little, little)
    assert machine.phase == "canary"
    machine = Machine(Rules(worth=0.02))
    machine.start()
    assert HARM in [machine.judge(np.array([0.0]), np.array([0.0])) for _ in range(4000)]


def test_rows_that_were_not_sent_are_not_on_the_balance() -> None:
    machine = Machine(Rules())
    machine.start()
    machine.judge(BAD, np.sign(BAD), sent=np.arange(20) < 4)
    assert machine.balance == pytest.approx(4 * -0.75)
    machine.judge(BAD, np.sign(BAD), sent=np.arange(20) < 4, worth=np.full(20, 0.1))
    assert machine.balance == pytest.approx(4 * -0.75 + 0.4)
