"""Rates at low false alarms: exact counts, honest limits of few rows, and coverage under no leakage."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from temperance.evaluation.privacy.leakage import leakage, true_rate
from temperance.records.errors import DataError, SettingError


def made(n, shift, seed=0):
    g = np.random.default_rng(seed)
    scores = np.concatenate([g.normal(shift, 1, n), g.normal(0, 1, n)])
    return scores, np.arange(2 * n) < n


def test_it_agrees_with_scikit_learn() -> None:
    scores, member = made(3000, 1.0)
    found = leakage("x", scores, member)
    assert found.auc.value == pytest.approx(roc_auc_score(member, scores), abs=1e-12)
    false, true, _ = roc_curve(member, scores, drop_intermediate=False)
    for rate in (0.01, 0.1):
        best = true[false <= rate + 1e-12].max()
        assert true_rate("x", scores, member, rate=rate).value == pytest.approx(best, abs=1e-12)


def test_ties_at_the_limit_are_not_found() -> None:
    scores = np.concatenate([np.ones(100), np.ones(100)])
    assert true_rate("x", scores, np.arange(200) < 100, rate=0.1).value == 0.0


def test_rates_that_the_rows_cannot_carry_are_said_not_given() -> None:
    few = leakage("x", *made(50, 3.0))
    assert few.rates == ()
    assert few.verdict == "too few rows to say"
    assert few.not_done[0] == ("0.1 % false alarms", "it needs 10,000 rows that were not learned, and there are 50")
    some = leakage("x", *made(400, 3.0))
    assert [r.name for r in some.rates] == ["leakage/x/tpr@0.1"]
    assert some.verdict == "some rows can be recognised"
    many = leakage("x", *made(10_000, 0.0))
    assert [r.name for r in many.rates] == ["leakage/x/tpr@0.001", "leakage/x/tpr@0.01", "leakage/x/tpr@0.1"]


def test_an_area_above_one_half_is_not_called_guessing() -> None:
    """Few rows, 20 of 100 learned ones found at 10 % false alarms (18 to 24): it was called no better than guessing."""
    few = leakage("x", *made(500, 0.4))
    (rate,) = few.rates
    assert rate.low is not None
    assert 0.1 < rate.low <= 0.2
    assert few.auc.low is not None
    assert few.auc.low > 0.55
    assert few.verdict == "a little better than guessing"


@pytest.mark.parametrize(
    ("shift", "verdict"),
    [(0.0, "no better than guessing"), (0.9, "some rows can be recognised"), (2.0, "serious")],
)
def test_the_verdict_goes_by_the_lower_end(shift, verdict) -> None:
    assert leakage("x", *made(4000, shift)).verdict == verdict


def test_without_leakage_no_verdict_of_leakage_and_the_interval_holds_one_percent() -> None:
    held = 0
    for seed in range(60):
        found = leakage("x", *made(1500, 0.0, seed))
        assert found.verdict == "no better than guessing"
        rate = next(r for r in found.rates if r.name.endswith("0.01"))
        held += rate.low <= 0.01 <= rate.high
    assert held >= 45  # the limit itself scatters as much as the rate, so 95 % are not promised


def test_all_of_it_goes_into_json() -> None:
    row = leakage("rmia", *made(400, 1.0)).to_dict()
    assert row["attack"] == "rmia"
    assert (row["rates"][0]["better"], row["rates"][0]["at"]) == ("lower", 0.1)
    assert row["members"] == row["others"] == 400


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(DataError, match="some of each"):
        leakage("x", np.zeros(3), np.ones(3, bool))
    with pytest.raises(DataError, match="finite"):
        leakage("x", np.array([np.nan, 0.0]), np.array([True, False]))
    with pytest.raises(SettingError):
        true_rate("x", np.zeros(2), np.array([True, False]), rate=0.0)
