"""The conformance checks of one regularizer as plain functions; each raises ``AssertionError`` with the reason."""

from __future__ import annotations

import io
import math
import tomllib
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from temperance.core.functional import compile_recipe
from temperance.core.optimizers import SGD
from temperance.core.readings import NeverBegan
from temperance.core.recipe import Recipe
from temperance.core.regularizer import Regularizer, techniques
from temperance.core.session import Session
from temperance.core.toml import dumps
from temperance.population.executor import Population, member
from temperance.records.errors import RecipeError, SettingError
from temperance.testing.effects import EFFECTS
from temperance.testing.problems import Problem
from temperance.testing.training import (
    LR,
    MOMENTUM,
    STEPS,
    Bystander,
    answer,
    assert_close,
    assert_same,
    at_neutral,
    at_pressure,
    attach,
    outcome,
    train,
    trained,
)  # fmt: skip

MEMBERS, POPULATION_STEPS = 3, 10


def neutral(one: Regularizer, problem: Problem) -> None:
    """Check that at neutral strengths it is as if absent, bit for bit, also beside a technique that draws noise."""
    for others in ((), (Bystander(),)):
        with_it = _without_own(outcome(trained(Recipe(at_neutral(one), *others), problem)))
        assert_same(with_it, outcome(trained(Recipe(*others), problem)), f"neutral {one!r} beside {others}")


def pure(one: Regularizer, problem: Problem) -> None:
    """Check that the pure step leaves its arguments alone and that the same key gives the same result."""
    step = compile_recipe(Recipe(one), problem.model(), problem.loss, SGD(LR), epochs=2, steps_per_epoch=STEPS // 2)
    state = step.begin(seed=3)
    before = torch.utils._pytree.tree_map(lambda t: t.clone() if isinstance(t, torch.Tensor) else t, tuple(state))
    first, second = step(state, problem.batch(0))[0], step(state, problem.batch(0))[0]
    assert_same(tuple(state), before, "the arguments changed")
    assert_same(tuple(first), tuple(second), "the same call gave another result")


def population(one: Regularizer, problem: Problem) -> None:
    """Check that member i of a population is the solo run with its seed and strengths, to 1e-9."""
    dtype = torch.float64
    values = {
        f"{address}.{name}": [float(spec.from_pressure(p)) for p in (0.0, 0.4, 0.8)]
        for address, part in Recipe(one).by_address.items()
        for name, spec in part.strengths.items()
    }
    together = Population(
        Recipe(one), problem.model(dtype), problem.loss, SGD(LR, momentum=MOMENTUM), MEMBERS,
        mode="vmap", epochs=2, steps_per_epoch=STEPS // 2,
    )  # fmt: skip
    state = together.begin(strengths=values)
    for number in range(POPULATION_STEPS):
        state, _ = together(state, problem.batch(number, dtype))
    for i in range(MEMBERS):
        alone = attach(Recipe(one), problem, seed=i, dtype=dtype)
        for address, column in values.items():
            alone.set_strength(address, column[i])
        train(alone, problem, range(POPULATION_STEPS), dtype)
        own = member(state, i)
        assert_close(own.params, dict(alone.solo.home), 1e-9, f"weights of member {i}")
        assert_close(together.step.served(own), dict(alone.served), 1e-9, f"served weights of member {i}")


def resume(one: Regularizer, problem: Problem) -> None:
    """Check that saved, loaded into a new session and continued it equals the uninterrupted run bit for bit."""
    half = train(attach(Recipe(one, Bystander()), problem), problem, range(STEPS // 2))
    file = io.BytesIO()
    torch.save(half.state_dict(), file)
    file.seek(0)
    again = attach(Recipe(one, Bystander()), problem, seed=99)
    again.load_state_dict(torch.load(file, weights_only=True))
    train(again, problem, range(STEPS // 2, STEPS))
    assert_same(outcome(again), outcome(trained(Recipe(one, Bystander()), problem)), "resumed")


def twice(one: Regularizer, problem: Problem) -> None:
    """Check that two runs of one seed are equal bit for bit and leave torch's own generator alone."""
    before = torch.get_rng_state()
    first = outcome(trained(Recipe(one), problem))
    assert torch.equal(before, torch.get_rng_state()), "torch's global generator was used"
    torch.rand(3)
    assert_same(first, outcome(trained(Recipe(one), problem)), "second run")


def undo(one: Regularizer, problem: Problem) -> None:
    """Check that after ``finish`` the module is what it was (objects, names, outputs) and can be attached again."""
    session = attach(Recipe(one), problem)
    session._detach()
    fresh = problem.model()
    assert shape_of(session.model) == shape_of(fresh), "something was left behind at once"
    model = problem.model().train()
    objects = {name: id(p) for name, p in model.named_parameters()}
    for _ in range(2):
        optimizer = torch.optim.SGD(model.parameters(), lr=LR)
        session = Recipe(one).attach(model, optimizer, loss=problem.loss, epochs=2, steps_per_epoch=5)
        train(session, problem, range(2))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NeverBegan)  # two steps are no training
            session.finish(batches=[problem.batch(0)])
        assert {name: id(p) for name, p in model.named_parameters()} == objects, "other Parameter objects"
        assert shape_of(model) == shape_of(fresh), "something was left behind"
        model.train()
    model.load_state_dict(fresh.state_dict())
    inputs = problem.batch(0).inputs
    assert_same(answer(model, inputs), answer(fresh, inputs), "outputs after undo")


def quiet(one: Regularizer, problem: Problem) -> None:
    """Check that it changes nothing at inference."""
    inputs = problem.batch(0).inputs
    session = attach(Recipe(at_pressure(one, 0.8)), problem)
    assert_same(answer(session.model, inputs), answer(problem.model(), inputs), "outputs at inference")


def dtype(one: Regularizer, problem: Problem) -> None:
    """Train in float32, float64 and under bfloat16 autocast: weights keep their type and stay finite."""
    runs = ((torch.float32, None), (torch.float64, None), (torch.float32, torch.bfloat16))
    for kind, autocast in runs:
        session = attach(Recipe(one), problem, dtype=kind, autocast=autocast)
        train(session, problem, range(3), kind)
        for name, t in [*session.solo.home.items(), *session.served.items()]:
            assert t.dtype == kind, f"{name} became {t.dtype} in a {kind} model"
            assert bool(torch.isfinite(t).all()), f"{name} is not finite ({kind}, autocast {autocast})"


def cost(one: Regularizer, problem: Problem) -> None:
    """Count forward and backward passes, those to the inputs too: they equal the declared ones."""
    session = attach(Recipe(one), problem)
    with counted(session) as counts:
        train(session, problem, range(STEPS))
    declared = {"forward": one.cost.forwards * STEPS, "backward": one.cost.backwards * STEPS}
    assert counts == declared, f"counted {counts}, declared {declared} in {STEPS} steps"


def direction(one: Regularizer, problem: Problem) -> None:
    """Check that a stronger strength moves the declared quantity the declared way."""
    for name, spec in one.strengths.items():
        assert name in one.effect, f"declare effect[{name!r}]: one of {sorted(EFFECTS)} and 'up' or 'down'"
        quantity, way = one.effect[name]
        weak, strong = (
            EFFECTS[quantity](replace(one, **{name: float(spec.from_pressure(p))}), problem) for p in (0.3, 0.9)
        )
        assert (strong > weak) == (way == "up"), f"{quantity} went from {weak:.4g} to {strong:.4g}, declared {way}"
        assert strong != weak, f"{name} does not move {quantity}"


def round_trip(one: Regularizer) -> None:
    """Check that it comes back from its dict, its TOML and its ``repr``; equal ones have equal hashes."""
    again = Regularizer.from_dict(one.to_dict())
    assert again == one, "from_dict(to_dict)"
    assert hash(again) == hash(one), "hash"
    assert Regularizer.from_dict(tomllib.loads(dumps(one.to_dict()))) == one, "TOML"
    names = {type(one).__name__: type(one), "Recipe": Recipe, "inf": math.inf}
    assert eval(repr(one), names) == one, "repr is not evaluable"
    recipe = Recipe(one)
    assert recipe == Recipe.from_toml(recipe.to_toml()) == eval(repr(recipe), names), "inside a recipe"
    assert techniques[type(one).__name__] is type(one), "register it with @techniques.add"


def errors(one: Regularizer) -> None:
    """Check that each value out of range is refused by an error that names the value and the bounds."""
    for name, spec in one.strengths.items():
        for wrong in (spec.low - 1.0, spec.high * 2 + 1.0, math.nan, "much"):
            if wrong == spec.neutral:
                continue
            try:
                replace(one, **{name: wrong})
            except SettingError as error:
                text = str(error)
                for part in (name, repr(wrong), f"{spec.low:g}", f"{spec.high:g}"):
                    assert part in text, f"the error does not name {part}: {text}"
                continue
            raise AssertionError(f"{type(one).__name__}({name}={wrong!r}) was accepted")


def cocktail(one: Regularizer, problem: Problem) -> None:
    """Check that with every other technique it trains, or that the refusal names both."""
    for _, cls in techniques.items():
        other = next(iter(cls.samples()))
        if type(other) is type(one) or applies(other, problem):
            continue
        try:
            session = attach(Recipe(one, other), problem)
        except RecipeError as error:
            missing = [name for name in (type(one).__name__, type(other).__name__) if name not in str(error)]
            if missing:
                raise AssertionError(f"refused without naming {missing}: {error}") from error
            continue
        for number in range(2):
            loss = session.step(problem.batch(number)).loss
            assert bool(torch.isfinite(loss)), f"not finite beside {other!r}"


def applies(one: Regularizer, problem: Problem) -> str:
    """Return why the technique refuses this model or its inputs, or an empty string."""
    try:
        session: Session = attach(Recipe(one), problem)
        session.step(problem.batch(0))
    except RecipeError as error:
        return str(error)
    session._detach()
    return ""


@contextmanager
def counted(session: Session) -> Iterator[dict[str, int]]:
    """Count the passes of a session's model, ``forward`` and ``backward``."""
    counts = {"forward": 0, "backward": 0}

    def count(kind: str) -> None:
        counts[kind] += 1

    hook = session.model.register_forward_pre_hook(lambda *_: count("forward"))
    with _each_backward(lambda: count("backward")):
        yield counts
    hook.remove()


@contextmanager
def _each_backward(tell: Callable[[], None]) -> Iterator[None]:
    """Call ``tell`` at every ``backward`` and every ``torch.autograd.grad``."""
    before = torch.autograd.backward, torch.autograd.grad

    def backward(*args: Any, **named: Any) -> None:
        tell()
        before[0](*args, **named)

    def grad(*args: Any, **named: Any) -> Any:
        tell()
        return before[1](*args, **named)

    torch.autograd.backward, torch.autograd.grad = backward, grad  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.autograd.backward, torch.autograd.grad = before


def _without_own(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Leave out the parameters that a technique brought itself: there is nothing to compare them with."""
    return {name: t for name, t in tensors.items() if not name.rsplit(".", 1)[-1].startswith("temperance_")}


def shape_of(model: nn.Module) -> dict[str, object]:
    """Return the names of all that a model consists of, to see what was left behind."""
    return {
        "modules": [(name, type(m).__name__) for name, m in model.named_modules()],
        "parameters": [name for name, _ in model.named_parameters()],
        "buffers": [name for name, _ in model.named_buffers()],
        "state": list(model.state_dict()),
        "hooks": sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()),
        "own": [sorted(key for key in m.__dict__ if key.startswith("_temperance")) for m in model.modules()],
    }
