"""The conformance suite of a controller, for pytest.

    from temperance.testing.controllers import ControllerSuite

    class TestMine(ControllerSuite):
        @pytest.fixture
        def controller(self):
            return Mine(0.3)

The checks feed made-up signals, so a controller needs no training. Set ``elementwise = False`` where members look at
each other, and ``moves_fixed = True`` where the rule may move strengths that are not declared adaptive.
"""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
import pytest

from temperance.control.base import Controller, Memory, Values, controllers
from temperance.control.rate_limit import RateLimit
from temperance.control.strength import Strength

SPECS: dict[str, Strength] = {
    "dropout.p": Strength(0.1, low=0.0, high=0.95, neutral=0.0),
    "decay.weight_decay": Strength(1e-4, low=1e-6, high=1.0, neutral=0.0, scale="log"),
    "decay.timescale": Strength(9.0, low=1.0, high=99.0, neutral=float("inf"), scale="log", stronger="down"),
    "fixed.s": Strength(0.5, low=0.0, high=1.0, neutral=0.0, adaptive=False),
}
SHAPES: dict[str, tuple[int, ...]] = {"single": (), "members": (3,)}
_NUMBERS = ("gap", "valid_loss", "evidence", "gradient_noise", "weight_norm")
_BY_ADDRESS = ("hypergradient", "tail_exponent")


def start(shape: tuple[int, ...]) -> Values:
    """Return the strengths that the user set.

    Shapes: () or (k,) by address.
    """
    return {address: np.full(shape, spec.default) for address, spec in SPECS.items()}


def signals_at(t: int, shape: tuple[int, ...], extra: Iterable[str] = (), seed: int = 3) -> dict[str, Any]:
    """Return made-up signals of measurement ``t``; ``extra`` names more of them."""
    rng = np.random.default_rng([seed, t])
    members = {name: rng.normal(size=shape) * 0.3 for name in _NUMBERS}
    per_address = {f"{kind}/{a}": rng.normal(size=shape) for kind in _BY_ADDRESS for a in SPECS}
    phase = {"progress": t / 30, "epoch": float(t), "step": float(10 * t), "lr": 1.0 - t / 40}
    more = {name: rng.normal(size=shape) * 0.3 for name in sorted(set(extra) - members.keys() - phase.keys())}
    return {**more, **members, **per_address, **phase, "gap_error": np.full(shape, 0.01)}


def run(
    controller: Controller,
    shape: tuple[int, ...],
    calls: Iterable[int],
    *,
    values: Values | None = None,
    memory: Memory | None = None,
    member: int | None = None,
) -> tuple[list[Values], Memory]:
    """Steer through the calls and return the strengths after each, and the last memory.

    Shapes: () or (k,) by address.
    """
    values = start(shape) if values is None else values
    memory = controller.begin(values, SPECS) if memory is None else memory
    path = []
    for t in calls:
        signals = signals_at(t, (3,) if member is not None else shape, controller.reads)
        if member is not None:
            signals = {k: v[member] if np.ndim(v) else v for k, v in signals.items()}
        values, memory = controller.steer(values, signals, memory, SPECS)
        path.append(values)
    return path, memory


def same(a: dict[str, Any], b: dict[str, Any]) -> None:
    """Raise unless two dicts of arrays are equal in names, numbers, types and shapes."""
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])
        assert np.asarray(a[name]).dtype == np.asarray(b[name]).dtype
        assert np.shape(a[name]) == np.shape(b[name])


class ControllerSuite:
    """Subclass it, name the subclass ``Test…``, and give a fixture ``controller``."""

    elementwise: ClassVar[bool] = True
    moves_fixed: ClassVar[bool] = False

    @pytest.fixture
    def controller(self) -> Controller:
        """Return the rule under test."""
        raise pytest.UsageError("give the fixture `controller`")

    @pytest.fixture(params=list(SHAPES))
    def shape(self, request: Any) -> tuple[int, ...]:
        """Return () and (3,) in turn."""
        return SHAPES[request.param]

    def test_bounded(self, controller: Controller, shape: tuple[int, ...]) -> None:
        """Check that strengths stay inside what is declared."""
        path, _ = run(controller, shape, range(30))
        for values in path:
            for address, value in values.items():
                spec = SPECS[address]
                assert value.shape == shape
                assert np.all((value == spec.neutral) | ((value >= spec.low) & (value <= spec.high)))

    def test_twice(self, controller: Controller, shape: tuple[int, ...]) -> None:
        """Check that the same signals give the same moves."""
        one, one_memory = run(controller, shape, range(20))
        two, two_memory = run(copy.deepcopy(controller), shape, range(20))
        for a, b in zip(one, two, strict=True):
            same(a, b)
        same(one_memory, two_memory)

    def test_resume(self, controller: Controller, shape: tuple[int, ...]) -> None:
        """Check that stopped, saved and continued it equals the uninterrupted run."""
        whole, whole_memory = run(controller, shape, range(20))
        half, memory = run(controller, shape, range(9))
        file = io.BytesIO()
        np.savez(file, **memory)  # type: ignore[arg-type]
        file.seek(0)
        loaded = dict(np.load(file, allow_pickle=False))
        rest, rest_memory = run(controller, shape, range(9, 20), values=half[-1], memory=loaded)
        same(whole[-1], rest[-1])
        same(whole_memory, rest_memory)

    def test_pure(self, controller: Controller, shape: tuple[int, ...]) -> None:
        """Check that nothing it was given is changed."""
        values = start(shape)
        memory = controller.begin(values, SPECS)
        same(values, start(shape))
        for t in range(6):
            signals = signals_at(t, shape, controller.reads)
            kept = copy.deepcopy((values, memory, signals))
            after, new = controller.steer(values, signals, memory, SPECS)
            for array in after.values():
                array += 1e9  # what comes back must not be a view of what went in
            for given, old in zip((values, memory, signals), kept, strict=True):
                same(given, old)
            values, memory = controller.steer(values, signals, memory, SPECS)[0], new

    @pytest.mark.parametrize("dead", [float("nan"), float("inf"), -float("inf"), None])
    def test_dead_signals_hold(self, controller: Controller, shape: tuple[int, ...], dead: float | None) -> None:
        """Check that signals that are NaN, infinite or missing move nothing and keep nothing."""
        path, memory = run(controller, shape, range(7))
        values = path[-1]
        names = signals_at(0, shape, controller.reads)
        signals: dict[str, Any] = {} if dead is None else dict.fromkeys(names, dead)
        for _ in range(3):
            after, memory = controller.steer(values, signals, memory, SPECS)
            same(after, values)
            assert not np.any(memory.get("keep", False))

    def test_members(self, controller: Controller) -> None:
        """Check that member i moves as it would alone."""
        if not self.elementwise:
            pytest.skip("members look at each other")
        together, memory = run(controller, (3,), range(20))
        for member in range(3):
            alone, own = run(controller, (), range(20), member=member)
            for t in range(20):
                for address in SPECS:
                    np.testing.assert_array_equal(together[t][address][member], alone[t][address])
            if "stop" in memory:
                assert memory["stop"][member] == own["stop"]

    def test_frozen(self, controller: Controller, shape: tuple[int, ...]) -> None:
        """Check that under a rate limit of 0 nothing moves."""
        path, _ = run(RateLimit(controller, 0.0), shape, range(15))
        for values in path:
            same(values, start(shape))

    def test_only_adaptive_strengths_move(self, controller: Controller) -> None:
        """Check that strengths which are not declared adaptive stay."""
        if self.moves_fixed:
            pytest.skip("it moves what it is told to")
        path, _ = run(controller, (), range(20))
        assert path[-1]["fixed.s"] == 0.5

    def test_round_trip(self, controller: Controller) -> None:
        """Check that dict and repr give an equal controller back."""
        again = Controller.from_dict(json.loads(json.dumps(controller.to_dict())))
        assert again == controller
        assert hash(again) == hash(controller)
        assert eval(repr(controller), dict(controllers.items())) == controller
        assert controller.to_dict()["name"] == type(controller).__name__

    def test_moves_are_logged(self, controller: Controller) -> None:
        """Check that each move of a strength has its line with a reason."""
        values = start((3,))
        memory = controller.begin(values, SPECS)
        for t in range(12):
            signals = signals_at(t, (3,), controller.reads)
            after, memory = controller.steer(values, signals, memory, SPECS)
            moves = controller.explain(values, after, signals, memory, SPECS)
            changed = {(a, i) for a in SPECS for i in range(3) if values[a][i] != after[a][i]}
            assert changed <= {(m.strength, m.member) for m in moves}
            assert all(move.step == 10 * t and move.reason for move in moves)
            values = after

    def test_reads(self, controller: Controller) -> None:
        """With only the declared signals the same moves follow."""
        values = other = start((3,))
        memory = same_memory = controller.begin(values, SPECS)
        for t in range(12):
            signals = signals_at(t, (3,), controller.reads)
            known = {k: v for k, v in signals.items() if k in controller.reads or k.split("/")[0] in controller.reads}
            values, memory = controller.steer(values, signals, memory, SPECS)
            other, same_memory = controller.steer(other, known, same_memory, SPECS)
            same(values, other)
