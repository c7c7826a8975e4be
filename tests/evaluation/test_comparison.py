import json

import numpy as np
import pytest

from temperance.evaluation.base import Outcome
from temperance.evaluation.comparison import compare, compare_many
from temperance.evaluation.metrics.registry import losses
from temperance.records.errors import SettingError


def two_models(n=800):
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, size=n)
    good, bad = (1 / (1 + np.exp(-(2 * y - 1) * s - generator.normal(size=n))) for s in (2.0, 1.0))
    return [Outcome(np.stack([1 - p, p], axis=1), y, "binary") for p in (good, bad)]


@pytest.mark.parametrize("name", ["log_loss", "brier", "accuracy", "roc_auc", "balanced_accuracy", "macro_f1", "aurc"])
def test_difference_is_that_of_the_metric(name):
    good, bad = two_models()
    result = compare(losses(good, name), losses(bad, name), metric=name)
    from temperance.evaluation.metrics.registry import metric

    gap = metric(name).measure(good).value - metric(name).measure(bad).value
    assert result.difference.value == pytest.approx(gap)
    assert result.difference.low < gap < result.difference.high
    assert result.verdict == "better"
    assert result.p < 0.01
    turned = compare(losses(bad, name), losses(good, name), metric=name)
    assert turned.verdict == "worse"
    assert turned.difference.low == pytest.approx(-result.difference.high)
    json.dumps(result.to_dict(), allow_nan=False)


def test_rmse_difference_is_in_units_of_the_target():
    generator = np.random.default_rng(1)
    e = generator.normal(size=500)
    a, b = (2.0 * e) ** 2, (3.0 * e + 0.1 * generator.normal(size=500)) ** 2
    result = compare(a, b, metric="rmse")
    assert result.difference.value == pytest.approx(np.sqrt(a.mean()) - np.sqrt(b.mean()))
    assert result.verdict == "better"
    zero = compare(np.zeros(200), np.zeros(200), metric="rmse")
    assert zero.verdict == "no evidence of difference"
    assert zero.equivalent


def test_little_evidence_is_said():
    generator = np.random.default_rng(2)
    result = compare(generator.normal(size=40), generator.normal(size=40))
    assert result.verdict == "no evidence of difference"
    assert not result.equivalent
    assert result.method == "permutation"


def test_pairing_finds_what_separate_intervals_hide():
    """3 points of accuracy at 500 rows are found although the two Wilson intervals overlap."""
    generator = np.random.default_rng(3)
    bad = (generator.random(500) < 0.15).astype(float)
    good = bad.copy()
    good[np.flatnonzero(bad)[:18]] = 0
    good[np.flatnonzero(bad == 0)[:3]] = 1
    from temperance.records.statistics import wilson

    a, b = wilson(500 - good.sum(), 500), wilson(500 - bad.sum(), 500)
    assert a.low < b.high
    assert compare(good, bad, metric="accuracy").verdict == "better"


def test_unknown_metric_is_refused():
    with pytest.raises(SettingError, match="log_loss"):
        compare([1.0], [2.0], metric="logloss")


def test_many_claims_are_corrected_together():
    generator = np.random.default_rng(4)
    base = generator.normal(size=300)
    losses_by_model = {f"m{i}": base + generator.normal(size=300) * 0.5 for i in range(20)}
    losses_by_model["base"], losses_by_model["good"] = base, base - 0.3 + 0.1 * generator.normal(size=300)
    found = compare_many(losses_by_model, against="base")
    assert "base" not in found
    assert found["good"].verdict == "better"
    lone = {name: compare(values, base) for name, values in losses_by_model.items() if name != "base"}
    assert all(found[name].p >= lone[name].p for name in found)
    assert [name for name, c in found.items() if c.verdict != "no evidence of difference"] == ["good"]
    with pytest.raises(SettingError, match="Did you mean 'base'"):
        compare_many(losses_by_model, against="bas")
