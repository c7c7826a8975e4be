import numpy as np
import pytest

from temperance.monitoring.degradation import LossMonitor, ceiling_of, expected_quality
from temperance.records.errors import DataError, SettingError


def test_no_alarm_at_the_ceiling_and_an_alarm_above_it():
    rng = np.random.default_rng(0)
    monitor = LossMonitor(0.1)
    assert monitor.observe((rng.random(5000) < 0.1).astype(float)).state == "calm"
    verdict = monitor.observe((rng.random(1000) < 0.25).astype(float))
    assert verdict.state == "alarm"
    assert "worse" in verdict.sentence


def test_confidence_sequence_covers_at_all_times():
    misses = 0
    for seed in range(40):
        rng, monitor, out = np.random.default_rng(seed), LossMonitor(0.3), False
        for _ in range(10):
            monitor.observe((rng.random(50) < 0.2).astype(float))
            mean = monitor.measure()
            out = out or not mean.low <= 0.2 <= mean.high
        misses += out
    assert misses <= 5  # 5 % of 40 runs, with room for chance
    assert mean.high - mean.low < 0.2


def test_loss_state_round_trip():
    rng = np.random.default_rng(0)
    a, b = LossMonitor(0.1), LossMonitor(0.1)
    a.observe(rng.random(100))
    b.load_state_dict(a.state_dict())
    more = rng.random(50)
    assert a.observe(more) == b.observe(more)


def test_losses_outside_the_unit_interval_and_bad_settings_are_refused():
    with pytest.raises(DataError, match="outside"):
        LossMonitor(0.1).observe(np.array([2.0]))
    with pytest.raises(DataError, match="outside"):
        LossMonitor(0.1).observe(np.array([np.nan]))
    with pytest.raises(SettingError, match="ceiling"):
        LossMonitor(1.5)
    assert LossMonitor(0.1).measure().flags == ("no labels yet",)


def test_ceiling_is_above_the_reference_loss(world):
    ceiling = ceiling_of(world.reference)
    assert world.reference["loss"][0] + 0.01 < ceiling < world.reference["loss"][0] + 0.1
    with pytest.raises(DataError, match="no loss"):
        ceiling_of({})


def test_expected_accuracy_follows_a_change_of_mix(world):
    inside, errors = 0, []
    for seed in range(40):
        _, predictions, target = world.draw(500, seed=100 + seed, shift=0.5)
        estimate = expected_quality(world.reference, predictions)
        truth = float((predictions.argmax(axis=1) == target).mean())
        inside += estimate.low <= truth <= estimate.high
        errors.append(abs(estimate.value - truth))
    assert inside >= 33
    assert np.mean(errors) < 0.03
    assert estimate.flags == ("assumes only the mix of cases changed",)


def test_expected_quality_says_unknown_outside_the_reference(world):
    estimate = expected_quality(world.reference, np.tile([0.0, 1.0], (100, 1)))
    assert estimate.low is None
    assert any(flag.startswith("unknown") for flag in estimate.flags)


def test_expected_squared_error_for_regression():
    rng = np.random.default_rng(0)
    sample = rng.normal(size=1000)
    reference = {"sample": sample, "sample_target": sample + rng.normal(size=1000) * 0.5}
    estimate = expected_quality(reference, rng.normal(size=500) * 0.9)
    assert estimate.name == "expected_squared_error"
    assert estimate.value == pytest.approx(0.25, abs=0.06)


def test_expected_quality_needs_targets_and_matching_predictions(world):
    with pytest.raises(DataError, match="no targets"):
        expected_quality({}, np.zeros((3, 2)))
    with pytest.raises(DataError, match="shape"):
        expected_quality(world.reference, np.zeros((3, 5)))


def test_expected_quality_says_unknown_where_half_of_the_inputs_changed(world):
    from temperance.records.verdict import Verdict

    _, predictions, _ = world.draw(300, seed=9)

    def verdicts(loud: int) -> list[Verdict]:
        states = ["alarm"] * loud + ["calm"] * (4 - loud)
        return [Verdict(f"feature:x{i}", s, 1.0, 1.0, 300, "", {"size": "small"}) for i, s in enumerate(states)]

    assert expected_quality(world.reference, predictions, verdicts=verdicts(1)).low is not None
    found = expected_quality(world.reference, predictions, verdicts=verdicts(2))
    assert found.low is None
    assert any("2 of 4 inputs" in flag for flag in found.flags)
