"""The winner is the cheapest within one standard error of the best; the frontier holds what nothing dominates."""

import math

import numpy as np
import pytest

from temperance.study.choose import Candidate, choose, frontier


def made(name, losses, latency=1.0, size=10.0, robustness=0.9, seconds=1.0, allowed=True):
    return Candidate(name, np.asarray(losses, dtype=float), robustness, seconds, latency, size, allowed)


@pytest.fixture
def noise():
    return np.random.default_rng(0).normal(size=400) * 0.1


def pick(candidates):
    return choose(candidates, metric="log_loss", names={c.id: c.id for c in candidates})


def test_a_clear_gain_wins_whatever_it_costs(noise):
    choice = pick([made("cheap", 0.6 + noise, latency=0.1), made("dear", 0.5 + noise[::-1], latency=9.0)])
    assert choice.winner == "dear"
    assert choice.comparison[0]["decision"].startswith("worse")


def test_no_clear_difference_gives_the_cheaper(noise):
    choice = pick([made("cheap", 0.5002 + noise, latency=0.1), made("dear", 0.5 + noise[::-1], latency=9.0)])
    assert choice.winner == "cheap"
    assert "within one standard error" in choice.why


def test_what_is_over_the_limits_cannot_win(noise):
    choice = pick([made("slow", 0.4 + noise, allowed=False), made("quick", 0.6 + noise)])
    assert choice.winner == "quick"


def test_comparison_is_winner_minus_other_in_the_metrics_units(noise):
    choice = pick([made("a", 0.5 + noise), made("b", 0.7 + noise[::-1])])
    assert choice.comparison[0]["difference"]["value"] == pytest.approx(-0.2, abs=1e-9)


def test_frontier_keeps_trade_offs_and_drops_the_dominated():
    good = made("good", [0.4], latency=5.0)
    cheap = made("cheap", [0.6], latency=0.1)
    tough = made("tough", [0.5], latency=6.0, robustness=0.99)
    bad = made("bad", [0.7], latency=7.0, robustness=0.5, seconds=2.0, size=20.0)
    assert frontier([good, cheap, tough, bad]) == ["good", "cheap", "tough"]


def test_unmeasured_robustness_never_dominates():
    known, unknown = made("known", [0.5]), made("unknown", [0.5], robustness=math.nan)
    assert frontier([known, unknown]) == ["known"]
