import numpy as np
import pytest

from temperance.control import Every, GapFeedback, Only, Strength

P = Strength(0.0, low=0.0, high=1.0, neutral=0.0)
DECAY = Strength(1e-3, low=1e-6, high=1.0, neutral=0.0, scale="log")
FREE = {"rate": 10.0, "noise": 0.0, "warmup": False, "high": 1.0}


def drive(controller, gaps, *, default=0.0, extra=None, specs=None):
    specs = specs or {"a.p": P}
    values = {a: np.array(default if a == "a.p" else s.default) for a, s in specs.items()}
    memory, path = controller.begin(values, specs), []
    for t, gap in enumerate(gaps):
        signals = {"gap": gap, "epoch": t, **(extra(t) if extra else {})}
        values, memory = controller.steer(values, signals, memory, specs)
        path.append({a: float(v) for a, v in values.items()})
    return path, memory


def only_p(path):
    return [row["a.p"] for row in path]


@pytest.mark.parametrize("gains", [(1.0, 0.15, 0.0), (0.0, 1.0, 0.0), (1.0, 1.0, 0.0), (2.0, 0.3, 0.9)])
def test_equals_a_plain_loop(gains):
    kp, ki, nu = gains
    gaps = 0.1 + 0.1 * np.random.default_rng(1).normal(size=60)
    path, _ = drive(GapFeedback(0.05, kp=kp, ki=ki, nu=nu, **FREE), gaps)
    strength, xi, expected = 0.0, None, []
    for gap in gaps:
        error = gap - 0.05
        before = error if xi is None else xi
        xi = nu * before + (1 - nu) * error
        strength = min(max(strength + ki * error + kp * (xi - before), 0.0), 1.0)
        expected.append(strength)
    np.testing.assert_allclose(only_p(path), expected, atol=1e-12)


def test_saturation_recovers_within_two_steps():
    path, memory = drive(GapFeedback(ki=0.5, kp=0.5, nu=0.0, **FREE), [1.0] * 50)
    assert only_p(path)[-1] == 1.0
    assert memory["saturated"]
    path, _ = drive(GapFeedback(ki=0.5, kp=0.5, nu=0.0, **FREE), [1.0] * 50 + [-0.2, -0.2])
    assert only_p(path)[50] < 1.0


def test_no_wind_up_below_neutral():
    """A strength that starts neutral cannot be made weaker; the state must not run away below it."""
    path, _ = drive(GapFeedback(ki=0.5, kp=0.0, **FREE), [-1.0] * 50 + [0.2, 0.2])
    assert only_p(path)[49] == 0.0
    assert only_p(path)[50] == pytest.approx(0.1)


def test_rate_limits_the_change_per_epoch_not_per_call():
    controller = GapFeedback(ki=1.0, rate=0.1, noise=0.0, warmup=False)
    path, _ = drive(controller, [1.0] * 6, extra=lambda t: {"epoch": t / 3})
    np.testing.assert_allclose(only_p(path), [0.1, 0.1, 0.1, 0.2, 0.2, 0.2], atol=1e-12)


def test_errors_within_the_noise_move_nothing():
    controller = GapFeedback(ki=1.0, kp=0.0, noise=2.0, rate=1.0, warmup=False)
    still, _ = drive(controller, [0.05] * 5, extra=lambda t: {"gap_error": 0.03})
    assert only_p(still) == [0.0] * 5
    moved, _ = drive(controller, [0.05] * 1, extra=lambda t: {"gap_error": 0.02})
    assert only_p(moved) == [pytest.approx(0.01)]


def test_dead_band():
    path, _ = drive(GapFeedback(ki=1.0, kp=0.0, dead_band=0.1, noise=0.0, rate=1.0, warmup=False), [0.1, 0.2])
    np.testing.assert_allclose(only_p(path), [0.0, 0.1], atol=1e-12)


def test_holds_while_the_learning_rate_warms_up():
    rates = [0.25, 0.5, 0.75, 1.0, 0.5, 0.2, 0.4]
    path, _ = drive(GapFeedback(ki=0.1, kp=0.0, noise=0.0), [1.0] * 7, extra=lambda t: {"lr": rates[t]})
    np.testing.assert_allclose(only_p(path), [0, 0, 0, 0.1, 0.2, 0.3, 0.4], atol=1e-12)


def test_a_falling_rate_is_no_warm_up():
    path, _ = drive(GapFeedback(ki=0.1, kp=0.0, noise=0.0), [1.0] * 3, extra=lambda t: {"lr": 0.5 - 0.1 * t})
    np.testing.assert_allclose(only_p(path), [0, 0.1, 0.2], atol=1e-12)


def test_a_warm_up_by_epochs_is_not_over_between_two_measurements():
    """Readings of the rate in between, where it stands still, do not count."""
    rates, gaps = [0.3, 0.3, 0.6, 0.6, 1.0, 1.0], [1.0, np.nan, 1.0, np.nan, np.nan, 1.0]
    path, _ = drive(GapFeedback(ki=0.1, kp=0.0, noise=0.0), gaps, extra=lambda t: {"lr": rates[t]})
    np.testing.assert_allclose(only_p(path), [0, 0, 0, 0, 0, 0.1], atol=1e-12)


def test_a_rate_that_stays_below_its_maximum_does_not_hold_for_ever():
    path, _ = drive(GapFeedback(ki=0.1, kp=0.0, noise=0.0), [1.0] * 3, extra=lambda t: {"lr": 0.5})
    np.testing.assert_allclose(only_p(path), [0, 0.1, 0.2], atol=1e-12)


def test_relative_target_is_the_gap_at_the_best_loss():
    losses = [1.0, 0.8, 0.9, 1.0]
    gaps = [-0.3, -0.1, 0.1, 0.3]
    controller = GapFeedback(ki=0.1, kp=0.0, noise=0.0, warmup=False, reference="best")
    path, _ = drive(controller, gaps, extra=lambda t: {"valid_loss": losses[t]})
    np.testing.assert_allclose(only_p(path), [0, 0, 0.02, 0.06], atol=1e-12)


def test_one_pressure_moves_every_adaptive_strength_on_its_own_scale():
    specs = {"a.p": P, "w.decay": DECAY, "x.s": Strength(0.3, low=0, high=1, neutral=0, adaptive=False)}
    path, memory = drive(GapFeedback(ki=0.25, kp=0.0, **FREE), [1.0], default=0.5, specs=specs)
    assert memory["pressure"] == 0.25
    assert path[0]["a.p"] == pytest.approx(0.5 + 0.25 * 0.5)
    assert path[0]["w.decay"] == pytest.approx(1e-6 * 1e6 ** (0.5 + 0.25 * 0.5))
    assert path[0]["x.s"] == 0.3


def test_full_relief_is_neutral_and_zero_is_the_users_value_exactly():
    specs = {"a.p": P, "w.decay": DECAY}
    path, _ = drive(GapFeedback(ki=0.5, kp=0.0, **FREE), [-1.0, -1.0, -1.0, 1.0, 1.0], default=0.3, specs=specs)
    assert path[2] == {"a.p": 0.0, "w.decay": 0.0}
    assert path[4] == {"a.p": 0.3, "w.decay": 1e-3}


def test_stale_gaps_do_not_wind_up():
    """Between two measurements the gap is NaN: many calls, one move."""
    path, _ = drive(GapFeedback(ki=0.1, kp=0.0, **FREE), [1.0, np.nan, np.nan, 1.0])
    np.testing.assert_allclose(only_p(path), [0.1, 0.1, 0.1, 0.2], atol=1e-12)
    path, _ = drive(Every(GapFeedback(ki=0.1, kp=0.0, **FREE), 2), [1.0, np.nan, 1.0, 1.0])
    np.testing.assert_allclose(only_p(path), [0.1, 0.1, 0.1, 0.2], atol=1e-12)


def settle(controller, gain, lag, calls=300):
    """Drive gap = lag x gap + (1 - lag) x gain x (0.5 - s), measured once per epoch; return the strengths."""
    specs, values, gap = {"a.p": P}, {"a.p": np.array(0.0)}, 0.0
    memory, path = controller.begin(values, specs), []
    for t in range(calls):
        gap = lag * gap + (1 - lag) * gain * (0.5 - float(values["a.p"]))
        values, memory = controller.steer(values, {"gap": gap, "epoch": t}, memory, specs)
        path.append(float(values["a.p"]))
    return np.array(path)


@pytest.mark.parametrize("gain", [0.2, 1.0, 3.0])
@pytest.mark.parametrize("lag", [0.0, 0.5, 0.8])
def test_the_defaults_hold_the_target_on_quick_and_slow_plants(gain, lag):
    target = 0.2 * gain  # reached at s = 0.3
    path = settle(Only(GapFeedback(target, warmup=False), "a.p"), gain, lag)
    assert path[-1] == pytest.approx(0.3, abs=0.01)
    assert np.ptp(path[-50:]) < 0.02


def test_a_strong_unsmoothed_rule_swings_on_a_quick_plant():
    assert np.ptp(settle(GapFeedback(0.2, kp=1.0, nu=0.0, warmup=False), 1.0, 0.0)[-50:]) > 0.1


def test_reason_names_the_side():
    controller, specs = GapFeedback(), {"a.p": P}
    values = {"a.p": np.array(0.2)}
    signals = {"gap": 0.4, "epoch": 1, "step": 7, "progress": 0.5, "lr": 1.0}
    after, memory = controller.steer(values, signals, controller.begin(values, specs), specs)
    (move,) = controller.explain(values, after, signals, memory, specs)
    assert move.reason == "the gap is above its target"
    assert (move.step, move.fraction, move.signal, move.error) == (7, 0.5, "gap", 0.4)
    assert type(move).from_dict(move.to_dict()) == move
