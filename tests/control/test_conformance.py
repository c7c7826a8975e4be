"""What every registered controller must satisfy, run over all of them."""

import copy
import doctest
import io
import json
import sys

import numpy as np
import pytest

from temperance import control
from temperance.control import (
    Chain,
    Clamp,
    Constant,
    Controller,
    Delay,
    EarlyStopping,
    Every,
    GapFeedback,
    Linear,
    Only,
    RateLimit,
    Steps,
    Strength,
    controllers,
)
from temperance.records.errors import SettingError

SPECS = {
    "dropout.p": Strength(0.1, low=0.0, high=0.95, neutral=0.0),
    "decay.weight_decay": Strength(1e-4, low=1e-6, high=1.0, neutral=0.0, scale="log"),
    "decay.timescale": Strength(9.0, low=1.0, high=99.0, neutral=float("inf"), scale="log", stronger="down"),
    "fixed.s": Strength(0.5, low=0.0, high=1.0, neutral=0.0, adaptive=False),
}
SETTINGS = {
    "Chain": Chain((Linear(0.5, 2.0), GapFeedback(rate=0.3), EarlyStopping(3))),
    "Clamp": Only(Clamp(GapFeedback(ki=0.5), low=0.05, high=0.3), "dropout.p"),
    "Every": Every(GapFeedback(), 2),
    "Only": Only(GapFeedback(), ("dropout*", "fixed.s")),
    "Delay": Delay(GapFeedback(), 0.2),
    "RateLimit": RateLimit(Linear(), 0.05),
    "Steps": Steps(at=(0.3, 0.6), factors=(0.0, 1.0, 2.0)),
    "Spectral": control.Spectral(dead_band=0.0),
}
NOT_ELEMENTWISE = {"PopulationBased": "members copy from each other"}
WRAPPERS = {"Every", "Only", "Delay", "RateLimit", "Clamp", "Chain"}


def build(name: str) -> Controller:
    return SETTINGS[name] if name in SETTINGS else controllers[name]()


def start(shape):
    return {address: np.full(shape, spec.default) for address, spec in SPECS.items()}


def signals_at(t, shape, seed=3):
    rng = np.random.default_rng([seed, t])
    members = {
        name: rng.normal(size=shape) * 0.3
        for name in ("gap", "valid_loss", "evidence", "gradient_noise", "weight_norm")
    }
    per_address = {f"{kind}/{a}": rng.normal(size=shape) for kind in ("hypergradient", "tail_exponent") for a in SPECS}
    phase = {"progress": t / 30, "epoch": float(t), "step": float(10 * t), "lr": 1.0 - t / 40}
    return {**members, **per_address, **phase, "gap_error": np.full(shape, 0.01)}


def run(controller, shape, calls, *, values=None, memory=None, seed=3, member=None):
    values = start(shape) if values is None else values
    memory = controller.begin(values, SPECS) if memory is None else memory
    path = []
    for t in calls:
        signals = signals_at(t, (3,) if member is not None else shape, seed)
        if member is not None:
            signals = {k: v[member] if np.ndim(v) else v for k, v in signals.items()}
        values, memory = controller.steer(values, signals, memory, SPECS)
        path.append(values)
    return path, memory


def same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])
        assert np.asarray(a[name]).dtype == np.asarray(b[name]).dtype
        assert np.shape(a[name]) == np.shape(b[name])


each = pytest.mark.parametrize("name", list(controllers))
shapes = pytest.mark.parametrize("shape", [(), (3,)], ids=["single", "members"])


@each
@shapes
@pytest.mark.parametrize("seed", [0, 1])
def test_bounded(name, shape, seed):
    path, _ = run(build(name), shape, range(30), seed=seed)
    for values in path:
        for address, value in values.items():
            spec = SPECS[address]
            assert value.shape == shape
            assert np.all((value == spec.neutral) | ((value >= spec.low) & (value <= spec.high)))


@each
@shapes
def test_deterministic(name, shape):
    one, one_memory = run(build(name), shape, range(20))
    two, two_memory = run(copy.deepcopy(build(name)), shape, range(20))
    for a, b in zip(one, two, strict=True):
        same(a, b)
    same(one_memory, two_memory)


@each
@shapes
def test_resume_through_a_file_is_bitwise(name, shape):
    controller = build(name)
    whole, whole_memory = run(controller, shape, range(20))
    half, memory = run(controller, shape, range(9))
    file = io.BytesIO()
    np.savez(file, **memory)
    file.seek(0)
    loaded = dict(np.load(file, allow_pickle=False))
    rest, rest_memory = run(controller, shape, range(9, 20), values=half[-1], memory=loaded)
    same(whole[-1], rest[-1])
    same(whole_memory, rest_memory)


@each
@shapes
def test_arguments_are_untouched(name, shape):
    controller, values = build(name), start(shape)
    memory = controller.begin(values, SPECS)
    same(values, start(shape))
    for t in range(6):
        signals = signals_at(t, shape)
        kept = copy.deepcopy((values, memory, signals))
        after, new = controller.steer(values, signals, memory, SPECS)
        for array in after.values():
            array += 1e9  # what comes back must not be a view of what went in
        for given, old in zip((values, memory, signals), kept, strict=True):
            same(given, old)
        values, memory = controller.steer(values, signals, memory, SPECS)[0], new


@each
@shapes
@pytest.mark.parametrize("dead", [float("nan"), float("inf"), -float("inf"), None])
def test_dead_signals_hold_the_last_value(name, shape, dead):
    controller = build(name)
    path, memory = run(controller, shape, range(7))
    values = path[-1]
    signals = {} if dead is None else dict.fromkeys(signals_at(0, shape), dead)
    for _ in range(3):
        after, memory = controller.steer(values, signals, memory, SPECS)
        same(after, values)
        assert not np.any(memory.get("keep", False))


@pytest.mark.parametrize("name", [name for name in controllers if name not in NOT_ELEMENTWISE])
def test_members_agree_with_single_runs(name):
    together, memory = run(build(name), (3,), range(20))
    for member in range(3):
        alone, own = run(build(name), (), range(20), member=member)
        for t in range(20):
            for address in SPECS:
                np.testing.assert_array_equal(together[t][address][member], alone[t][address])
        if "stop" in memory:
            assert memory["stop"][member] == own["stop"]


@each
@shapes
def test_frozen_is_a_fixed_strength(name, shape):
    path, _ = run(RateLimit(build(name), 0.0), shape, range(15))
    for values in path:
        same(values, start(shape))


@each
def test_only_adaptive_strengths_move_unless_named(name):
    path, _ = run(build(name), (), range(20))
    if name != "Only":
        assert path[-1]["fixed.s"] == 0.5


@each
def test_value_semantics(name):
    controller = build(name)
    again = Controller.from_dict(json.loads(json.dumps(controller.to_dict())))
    assert again == controller
    assert hash(again) == hash(controller)
    assert eval(repr(controller), {n: getattr(control, n) for n in control.__all__}) == controller
    assert controller.to_dict()["name"] == type(controller).__name__


@each
def test_every_move_is_logged(name):
    controller, values = build(name), start((3,))
    memory = controller.begin(values, SPECS)
    for t in range(12):
        signals = signals_at(t, (3,))
        after, memory = controller.steer(values, signals, memory, SPECS)
        moves = controller.explain(values, after, signals, memory, SPECS)
        changed = {(a, i) for a in SPECS for i in range(3) if values[a][i] != after[a][i]}
        logged = {(m.strength, m.member) for m in moves if m.strength != "training"}
        assert changed <= logged
        for move in moves:
            assert move.step == 10 * t
            assert move.reason
            if move.strength in SPECS and name != "Chain":
                assert move.value == after[move.strength][move.member]
        values = after


@each
def test_reads_names_what_it_needs(name):
    """With only the declared signals, the same moves follow."""
    controller = build(name)
    values = other = start((3,))
    memory = same_memory = controller.begin(values, SPECS)
    for t in range(12):
        signals = signals_at(t, (3,))
        declared = {k: v for k, v in signals.items() if k in controller.reads or k.split("/")[0] in controller.reads}
        values, memory = controller.steer(values, signals, memory, SPECS)
        other, same_memory = controller.steer(other, declared, same_memory, SPECS)
        same(values, other)


def test_examples_in_the_docstrings_run():
    for _, cls in controllers.items():
        module = sys.modules[cls.__module__]
        if module.__name__.startswith("temperance.control"):
            assert doctest.testmod(module).failed == 0


def test_settings_name_every_wrapper():
    assert set(controllers) >= WRAPPERS
    assert set(controllers) >= {"Constant", "GapFeedback", "SignFeedback", "EarlyStopping", "Constraint", "Cosine"}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: GapFeedback(float("nan")),
        lambda: GapFeedback(nu=1.5),
        lambda: GapFeedback(high=2.0),
        lambda: GapFeedback(reference="worst"),
        lambda: control.SignFeedback(ramp=0.0),
        lambda: EarlyStopping(0),
        lambda: EarlyStopping(2.5),
        lambda: EarlyStopping(better="more"),
        lambda: Every(Constant(), 0),
        lambda: Only(Constant(), ()),
        lambda: Clamp(Constant(), 1.0, 0.0),
        lambda: RateLimit(Constant(), -0.1),
        lambda: Delay(Constant(), float("nan")),
        lambda: Linear(-1.0, 1.0),
        lambda: Steps(at=(0.6, 0.3), factors=(1, 1, 1)),
        lambda: Steps(at=(0.6,), factors=(1,)),
        lambda: control.Early(0.0),
        lambda: control.Early(0.2, "wavy"),
        lambda: control.Curriculum(float("nan")),
        lambda: control.Restarts(cycles=1.5),
        lambda: control.Constraint(kind="about"),
        lambda: control.Hypergradient(-1.0),
        lambda: control.PopulationBased(factors=()),
        lambda: control.Spectral(weak=2.0, strong=1.0),
        lambda: Chain((1,)),
        lambda: Linear("much"),
    ],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(SettingError) as caught:
        wrong()
    assert caught.value.accepted
    assert caught.value.remedy
