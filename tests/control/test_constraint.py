import numpy as np
import pytest

from temperance.control import Constraint, Strength
from temperance.control.constraint import stepped
from temperance.records.errors import SettingError

FREE = Strength(0.0, low=-100.0, high=100.0, neutral=0.0)
DECAY = Strength(1e-3, low=1e-6, high=1.0, neutral=0.0, scale="log")


def test_iterates_are_those_of_the_augmented_lagrangian():
    """min x² / 2 subject to x = 1, by gradient steps on x; multiplier step = quadratic weight = 0.3."""
    omega = c = 0.3
    rule = Constraint(1.0, kind="equal", kp=c, ki=omega, growth=1.0, init="zeros")
    specs, values = {"l.s": FREE}, {"l.s": np.array(0.0)}
    memory, x, ours = rule.begin(values, specs), 0.0, []
    for _ in range(60):
        values, memory = rule.steer(values, {"gap": x}, memory, specs)
        x -= 0.2 * (x + float(values["l.s"]))
        ours.append(x)
    y, multiplier, theirs = 0.0, 0.0, []
    for _ in range(60):
        multiplier += omega * (y - 1.0)
        y -= 0.2 * (y + multiplier + c * (y - 1.0))
        theirs.append(y)
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_the_constraint_is_met():
    rule = Constraint(1.0, kind="equal", kp=0.3, ki=0.3, growth=1.0)
    specs, values, x = {"l.s": FREE}, {"l.s": np.array(0.0)}, 0.0
    memory = rule.begin(values, specs)
    for _ in range(300):
        values, memory = rule.steer(values, {"gap": x}, memory, specs)
        x -= 0.2 * (x + float(values["l.s"]))
    assert x == pytest.approx(1.0, abs=1e-6)


def test_growth_only_while_infeasible():
    rule, specs, values = Constraint(1.0, growth=1.1), {"l.s": FREE}, {"l.s": np.array(0.0)}
    memory, seen = rule.begin(values, specs), []
    for signal in (2.0, 2.0, 0.5, np.nan, 1.00005):
        values, memory = rule.steer(values, {"gap": signal}, memory, specs)
        seen.append(float(memory["c"]))
    np.testing.assert_allclose(seen, [1.1, 1.21, 1.21, 1.21, 1.21])


def test_at_least_turns_the_sign():
    for kind, sign in (("at_most", 1.0), ("at_least", -1.0)):
        rule, specs, values = Constraint(1.0, kind=kind, ki=0.1), {"l.s": FREE}, {"l.s": np.array(0.0)}
        after, _ = rule.steer(values, {"gap": 3.0}, rule.begin(values, specs), specs)
        assert float(after["l.s"]) == pytest.approx(sign * 0.2)


def test_log_space_multiplies():
    value, _ = stepped(np.array(1e-3), np.array(np.log(10.0)), DECAY, log=True)
    assert float(value) == pytest.approx(1e-2)


def test_neutral_is_left_and_reached_through_the_weak_bound():
    assert float(stepped(np.array(0.0), np.array(0.5), DECAY, log=True)[0]) == pytest.approx(1e-6 * np.exp(0.5))
    assert float(stepped(np.array(2e-6), np.array(-5.0), DECAY, log=True)[0]) == 0.0
    assert float(stepped(np.array(0.0), np.array(-5.0), DECAY, log=True)[0]) == 0.0
    value, stuck = stepped(np.array(0.5), np.array(5.0), DECAY, log=True)
    assert (float(value), bool(stuck)) == (1.0, True)


def test_a_relative_error_is_a_share_of_the_target():
    specs, values = {"l.s": FREE}, {"l.s": np.array(0.0)}
    for target, signal in ((2.0, 4.0), (-2.0, -1.0), (1e-9, 2e-9)):
        rule = Constraint(target, ki=0.1, relative=True)
        after, memory = rule.steer(values, {"gap": signal}, rule.begin(values, specs), specs)
        assert float(memory["error"]) == pytest.approx(0.5)
        assert float(after["l.s"]) == pytest.approx(0.05)
    with pytest.raises(SettingError, match="relative"):
        Constraint(0.0, relative=True)


def test_hold_is_the_same_rule_and_does_not_know_units():
    """A slow plant, from 0 towards gain / strength, of any size, ends at its target."""
    specs = {"l.s": Strength(0.1, low=1e-4, high=100.0, neutral=0.0, scale="log")}
    for gain in (1e-3, 1.0, 50.0):
        rule = Constraint.hold("kl", 0.05 * gain)
        assert rule == eval(repr(rule))
        values = {"l.s": np.array(0.1)}
        memory, signal, seen = rule.begin(values, specs), 0.0, []
        for _ in range(200):
            signal += 0.2 * (gain / float(values["l.s"]) - signal)
            values, memory = rule.steer(values, {"kl": signal}, memory, specs)
            seen.append(signal)
        assert np.mean(seen[-50:]) == pytest.approx(0.05 * gain, rel=0.02)
    assert Constraint.hold("kl", 0.1, ki=0.5).ki == 0.5


def test_kl_is_held_by_the_anchor_alone():
    """A recipe's other strengths have nothing to do with the divergence; before they all went to their limits."""
    free = Strength(0.1, low=1e-4, high=100.0, neutral=0.0, scale="log")
    specs = {"dropout.p": DECAY, "kl_anchor.rate": free, "l2_sp.rate": free}
    values = dict.fromkeys(specs, np.array(0.1))

    def changed(rule, names=tuple(specs)):
        given = {name: values[name] for name in names}
        after, _ = rule.steer(given, {"kl": 1.0}, rule.begin(given, specs), specs)
        return [name for name in names if after[name] != given[name]]

    rule = Constraint.hold("kl", 0.05)
    assert changed(rule) == ["kl_anchor.rate"]
    assert changed(rule, ("dropout.p", "l2_sp.rate")) == ["dropout.p", "l2_sp.rate"]  # as inside Only
    assert changed(Constraint.hold("kl", 0.05, at=())) == list(specs)
    assert changed(Constraint.hold("kl", 0.05, at="*.rate")) == ["kl_anchor.rate", "l2_sp.rate"]
    assert Constraint.from_dict(rule.to_dict()) == rule == eval(repr(rule))
    assert Constraint.hold("weight_norm", 1.0).at == ()


def test_the_mean_of_a_noisy_signal_is_held():
    """A lognormal signal around 0.05 / strength, spread 0.8: its shares hold the median, those of its mean the mean."""
    specs = {"l.s": Strength(0.1, low=1e-4, high=100.0, neutral=0.0, scale="log")}
    found = {}
    for average in (0.0, 0.9):
        rule, draw = Constraint.hold("kl", 0.05, average=average), np.random.default_rng(0)
        values, seen = {"l.s": np.array(0.1)}, []
        memory = rule.begin(values, specs)
        for _ in range(4000):
            seen.append(0.05 / float(values["l.s"]) * np.exp(draw.normal(0.0, 0.8)))
            values, memory = rule.steer(values, {"kl": seen[-1]}, memory, specs)
        found[average] = np.mean(seen[500:])
    assert found[0.9] == pytest.approx(0.05, rel=0.05)
    assert found[0.0] > 1.2 * 0.05


def _second_half(**gains: float) -> float:
    """Hold the divergence of a task that is soon learned: its push fades, readings scatter by 0.3; mean of 8 seeds."""
    specs, found = {"l.s": Strength(1.0, low=1e-4, high=6.0, neutral=0.0, scale="log")}, []
    for seed in range(8):
        rule, draw = Constraint.hold("kl", 0.06, **gains), np.random.default_rng(seed)
        values, kl, seen = {"l.s": np.array(1.0)}, 0.02, []
        memory = rule.begin(values, specs)
        for i in range(200):
            strength, size = float(values["l.s"]), (kl / 0.06) ** 0.5
            kl *= np.exp((0.25 * np.exp(-i / 30) + 0.004) / size - 0.03 * strength / (1 + strength / 6) * size)
            seen.append(kl)
            reading = kl * np.exp(draw.normal(0.0, 0.3) - 0.045)
            values, memory = rule.steer(values, {"kl": reading}, memory, specs)
        found.append(np.mean(seen[100:]))
    return float(np.mean(found))


def test_firmer_gains_hold_a_number_whose_push_fades():
    assert _second_half() < 0.85 * 0.06  # the strength is let go too late
    assert _second_half(ki=0.4, kp=6.0) == pytest.approx(0.06, rel=0.06)


def test_the_running_mean_by_hand():
    """β = 0.5, target 1: means 3, 2, (kept), 3; errors 2, 1, –, 2; the strength rises by 0.1 of each."""
    rule, specs, values = Constraint(1.0, ki=0.1, average=0.5, growth=1.0), {"l.s": FREE}, {"l.s": np.array(0.0)}
    memory, seen = rule.begin(values, specs), []
    for signal in (3.0, 1.0, np.nan, 4.0):
        values, memory = rule.steer(values, {"gap": signal}, memory, specs)
        seen.append(float(values["l.s"]))
    np.testing.assert_allclose(seen, [0.2, 0.3, 0.3, 0.5])
    with pytest.raises(SettingError, match="average"):
        Constraint(1.0, average=1.0)


@pytest.mark.parametrize("target", [-0.1, 0.0])
def test_hold_refuses_a_target_that_no_share_can_be_taken_of(target):
    with pytest.raises(SettingError, match=r"Constraint.hold got target=.*above 0"):
        Constraint.hold("gap", target)
