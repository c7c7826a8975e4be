from dataclasses import replace

import numpy as np
import pytest

from temperance.evaluation.base import Outcome
from temperance.evaluation.metrics.registry import (
    METRICS,
    OF_LEVELS,
    check_goal,
    default_metric,
    losses,
    measure,
    metric,
    select,
)
from temperance.records.decision import Costs, Decision
from temperance.records.errors import SettingError


def binary(n=300):
    generator = np.random.default_rng(0)
    p = generator.uniform(size=n)
    return Outcome(np.stack([1 - p, p], axis=1), (generator.random(n) < p).astype(np.int64), "binary")


def regression(n=300):
    generator = np.random.default_rng(0)
    y = generator.normal(size=n)
    p = y + generator.normal(size=n)
    return Outcome(p, y, "regression", low=p - 1, high=p + 1)


def example(name):
    if METRICS[name].tasks == ("regression",):
        return replace(regression(), counts=True)
    if name in OF_LEVELS:
        return replace(binary(), ordered=True)
    dear = Decision(Costs.of([("b", "a", 4)], ("a", "b")))
    return replace(binary(), decision=dear) if name == "expected_cost" else binary()


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_states_itself(name):
    cls = METRICS[name]
    assert cls.name == name
    assert cls.better in ("higher", "lower", "neither")
    assert cls.words
    assert len(cls.words.split()) <= 20
    o = example(name)
    m = metric(name)
    result = m.measure(o)
    parts = m.contributions(o)
    assert parts.shape == (o.n,)
    assert float(m.finish(parts.mean())) == pytest.approx(result.value)
    assert result.n == 300
    assert result.convention
    if name != "ece_floor":
        assert result.low <= result.value <= result.high
    assert m.measure(o) == result


@pytest.mark.parametrize("name", METRICS)
def test_lower_losses_are_better(name):
    cls = METRICS[name]
    if cls.better == "neither":
        assert name in ("ece_floor", "interval_coverage")
        return
    o = example(name)
    parts = metric(name).contributions(o)
    assert np.allclose(losses(o, name), parts if cls.better == "lower" else 1 - parts)


def test_defaults_and_names():
    assert default_metric("binary") == default_metric("multiclass") == "log_loss"
    assert default_metric("regression") == "rmse"
    assert metric("Log Loss").name == metric("log-loss").name == "log_loss"
    with pytest.raises(SettingError, match="Did you mean 'accuracy'"):
        metric("acuracy")


def test_goals_fit_the_task():
    assert check_goal("roc_auc", task="binary").name == "roc_auc"
    for name, task in (("rmse", "binary"), ("accuracy", "regression"), ("ece", "binary")):
        with pytest.raises(SettingError, match="--metric"):
            check_goal(name, task=task)


def test_selection_of_metrics():
    quick = [m.name for m in select(binary())]
    assert quick[:4] == ["accuracy", "balanced_accuracy", "log_loss", "brier"]
    assert "aurc" not in quick
    assert "aurc" in [m.name for m in select(binary(), basic=False)]
    assert [m.name for m in measure(regression())] == ["rmse", "mae", "r2", "interval_coverage", "interval_width"]
    assert [m.name for m in measure(binary(), metrics=["brier", "accuracy"])] == ["brier", "accuracy"]
    with pytest.raises(SettingError, match="rmse"):
        select(regression(), metrics=["accuracy"])


def test_what_is_not_defined_is_left_out():
    o = binary()
    one = Outcome(o.prediction, np.zeros(300, dtype=np.int64), "binary")
    assert "roc_auc" not in [m.name for m in select(one)]
    flat = Outcome(np.ones(5), np.ones(5), "regression")
    assert [m.name for m in select(flat)] == ["rmse", "mae"]


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_intervals_hold_the_true_value(task):
    """Nominal 95 %, 300 rows; the true value is that of a million rows."""

    def draw(n, seed):
        generator = np.random.default_rng(seed)
        if task == "regression":
            y = generator.normal(size=n)
            return Outcome(y + 0.6 * generator.standard_t(5, size=n), y, "regression")
        z = 2 * generator.normal(size=(n, 2 if task == "binary" else 4)) + [1.5, *[0] * (1 if task == "binary" else 3)]
        p = np.exp(z)
        return Outcome(
            p / p.sum(axis=1, keepdims=True), (z / 1.5 + generator.gumbel(size=z.shape)).argmax(axis=1), task
        )

    big, small = draw(1_000_000, 999), [draw(300, seed) for seed in range(300)]
    for m in select(big, basic=False):
        if m.name != "ece_floor":
            truth = m.measure(big).value
            held = np.mean([r.low <= truth <= r.high for r in map(m.measure, small)])
            assert held > (0.86 if m.name.startswith("ece") else 0.9), (m.name, held)
