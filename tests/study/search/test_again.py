"""Where no new idea fits the time, the best net trains once more with another seed."""

import numpy as np

from temperance.study.events import Proposed
from temperance.study.search.again import Again, untried
from temperance.study.spec import TrialSpec
from temperance.study.state import Result, State


def result(name, loss, kind="folded", **changed):
    return Result(TrialSpec(name, name, kind, "Tabular", {"regularizers": []}, **changed), {"status": "done"},
                  losses=np.full(2, loss))  # fmt: skip


def test_the_best_net_comes_again_with_a_seed_of_its_own_each_time():
    state = State(results=[result("a", 0.3), result("b", 0.2, seed=7, until=0.6), result("boosting", 0.1, "basic")])
    again = Again(state)
    first = again.propose()
    assert (first.id, first.name, first.seed, first.until) == ("", "another seed 1, b", 1007, 1.0)
    state.apply(Proposed(spec=first.changed(id="t9").to_dict(), by="Again"))
    state.results.append(Result(first.changed(id="t9"), {"status": "done"}, losses=np.full(2, 0.05)))
    second = again.propose()
    assert second.name == "another seed 2, b"  # not a seed of a seed's name
    assert second.seed not in (first.seed, 7)


def test_without_a_net_there_is_nothing_to_repeat():
    assert Again(State(results=[result("boosting", 0.1, "basic")])).propose() is None
    assert Again.least_share < 0.25  # briefer than a new idea may be


def test_the_best_net_comes_again_between_the_later_nets_of_a_list():
    nets = [TrialSpec("", name, "cocktail", "ConvNet", {"regularizers": []}) for name in "abcd"]
    state = State(results=[result("a", 0.3, "cocktail"), result("b", 0.2, "cocktail")])
    left = untried(nets, state, seeds_after=3)
    found = [left.propose() for _ in range(4)]
    assert [spec.name for spec in found if spec] == ["c", "another seed 1, b", "d"]
    assert left.left == ()
    assert found[-1] is None  # the list is at its end; `_fill` repeats the best from there
    plain = untried(nets, state)
    assert [spec.name for spec in plain.left] == ["c", "d"]
    assert plain.propose().name == "c"


def test_before_a_net_has_finished_the_list_goes_on():
    nets = [TrialSpec("", name, "cocktail", "ConvNet", {"regularizers": []}) for name in "ab"]
    left = untried(nets, State(), seeds_after=0)
    assert [left.propose().name, left.propose().name, left.propose()] == ["a", "b", None]
