"""The winner is the best, or a cheaper one that is shown to be as good; the frontier holds what nothing dominates."""

import math

import numpy as np
import pytest

from temperance.study.choose import Candidate, choose, frontier


def made(name, losses, latency=1.0, size=10.0, robustness=0.9, seconds=1.0, allowed=True):
    return Candidate(name, np.asarray(losses, dtype=float), robustness, seconds, latency, size, allowed)


@pytest.fixture
def noise():
    return np.random.default_rng(0).normal(size=400) * 0.1


def pick(candidates, prefer="best"):
    return choose(candidates, metric="log_loss", names={c.id: c.id for c in candidates}, prefer=prefer)


def test_a_clear_gain_wins_whatever_it_costs(noise):
    choice = pick([made("cheap", 0.6 + noise, latency=0.1), made("dear", 0.5 + noise[::-1], latency=9.0)])
    assert choice.winner == "dear"
    assert choice.comparison[0]["decision"].startswith("not shown to be within 1 %")


def test_no_clear_difference_gives_the_cheaper_only_where_cheap_is_preferred(noise):
    both = [made("cheap", 0.5002 + noise, latency=0.1), made("dear", 0.5 + noise[::-1], latency=9.0)]
    assert pick(both).winner == "dear"
    choice = pick(both, prefer="cheap")
    assert choice.winner == "cheap"
    assert "within one standard error" in choice.why


def test_a_cheaper_one_that_is_shown_to_be_as_good_wins(noise):
    both = [made("cheap", 0.502 + noise, latency=0.1), made("dear", 0.5 + noise, latency=9.0)]
    choice = pick(both)
    assert choice.winner == "cheap"
    assert "shown to be within 1 %" in choice.why
    farther = [made("cheap", 0.51 + noise, latency=0.1), made("dear", 0.5 + noise, latency=9.0)]
    assert pick(farther).winner == "dear"
    assert pick(farther, prefer="balanced").winner == "cheap"


def test_the_best_of_many_equals_is_too_good_by_chance():
    rng = np.random.default_rng(1)
    many = [made(str(i), 0.5 + rng.normal(size=200)) for i in range(30)]
    found = pick(many)
    best = min(c.quality for c in many)
    assert 0.5 * (0.5 - best) < found.optimism < 1.5 * (0.5 - best)
    assert pick(many[:1]).optimism == 0.0


def test_what_is_over_the_limits_cannot_win(noise):
    choice = pick([made("slow", 0.4 + noise, allowed=False), made("quick", 0.6 + noise)])
    assert choice.winner == "quick"


def test_comparison_is_the_other_minus_the_winner_in_the_metrics_units(noise):
    choice = pick([made("a", 0.5 + noise), made("b", 0.7 + noise[::-1])])
    assert choice.comparison[0]["difference"]["value"] == pytest.approx(0.2, abs=1e-9)


def test_frontier_keeps_trade_offs_and_drops_the_dominated():
    good = made("good", [0.4], latency=5.0)
    cheap = made("cheap", [0.6], latency=0.1)
    tough = made("tough", [0.5], latency=6.0, robustness=0.99)
    bad = made("bad", [0.7], latency=7.0, robustness=0.5, seconds=2.0, size=20.0)
    assert frontier([good, cheap, tough, bad]) == ["good", "cheap", "tough"]


def test_unmeasured_robustness_never_dominates():
    known, unknown = made("known", [0.5]), made("unknown", [0.5], robustness=math.nan)
    assert frontier([known, unknown]) == ["known"]
