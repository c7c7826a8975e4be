"""Short trainings for the suites, and comparisons of what they leave behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.utils import _pytree as tree

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass, map_leaves
from temperance.core.leaves import Leaves
from temperance.core.random import fold, normal, site_mask
from temperance.core.recipe import Recipe
from temperance.core.regularizer import Memory, Objective, Rank, Regularizer, Strengths, Undo
from temperance.core.session import Session
from temperance.testing.problems import Problem

STEPS, LR, MOMENTUM = 6, 0.05, 0.9


@dataclass(frozen=True, repr=False)
class Bystander(Regularizer):
    """Draw noise on the inputs and behind the first linear layer; it stands beside the technique under test."""

    size: float = 0.1

    strengths: ClassVar[dict[str, Strength]] = {"size": Strength(0.1, low=0.0, high=1.0, neutral=0.0)}
    family: ClassVar[str] = "testing"
    rank: ClassVar[Rank] = Rank.AUGMENT

    def rewire(self, model: nn.Module, strengths: Strengths) -> Undo:
        """Thin out what the first linear layer gives."""
        first = next(m for m in model.modules() if isinstance(m, nn.Linear))
        keep = torch.tensor(0.9)
        hook = first.register_forward_hook(
            lambda owner, _, out: out * site_mask("bystander", out, keep) if owner.training else None
        )
        return hook.remove

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Add noise to the inputs."""

        def noisy(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            def one(x: Tensor) -> Tensor:
                if not x.is_floating_point():
                    return x
                return x + 0.1 * normal(fold(key, "bystander"), x.shape, x.device, x.dtype)

            return inner(params, buffers, batch._replace(inputs=map_leaves(one, batch.inputs)), key)

        return noisy


def attach(
    recipe: Recipe, problem: Problem, *, seed: int = 0, dtype: torch.dtype = torch.float32, **settings: Any
) -> Session:
    """Attach a recipe to a fresh model of the problem with plain SGD."""
    model = problem.model(dtype).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)
    known = {"epochs": 2, "steps_per_epoch": STEPS // 2, **settings}
    return recipe.attach(model, optimizer, loss=problem.loss, seed=seed, **known)


def train(session: Session, problem: Problem, steps: Iterable[int], dtype: torch.dtype = torch.float32) -> Session:
    """Take the steps of these numbers, each on its own batch."""
    for number in steps:
        session.step(problem.batch(number, dtype))
    return session


def trained(recipe: Recipe, problem: Problem, **settings: Any) -> Session:
    """Return a session after ``STEPS`` steps."""
    return train(attach(recipe, problem, **settings), problem, range(STEPS), settings.get("dtype", torch.float32))


def outcome(session: Session) -> dict[str, Tensor]:
    """Return all that a training leaves: parameters, buffers and served weights."""
    kept = {f"model.{name}": t.detach().clone() for name, t in session.model.state_dict().items()}
    return kept | {f"served.{name}": t.detach().clone() for name, t in session.served.items()}


def answer(model: nn.Module, inputs: Any) -> Tensor:
    """Return the outputs in evaluation mode.

    Shapes: the model's, (b, …).
    """
    from temperance.core.batch import call

    mode = model.training
    model.eval()
    with torch.no_grad():
        out: Tensor = call(model, inputs)
    model.train(mode)
    return out


def assert_same(one: Any, two: Any, what: str) -> None:
    """Raise unless two trees of tensors are equal bit for bit."""
    first, second = tree.tree_flatten(one), tree.tree_flatten(two)
    assert first[1] == second[1], f"{what}: other names"
    for a, b in zip(first[0], second[0], strict=True):
        same = torch.equal(a, b) if isinstance(a, Tensor) else a == b
        assert same, f"{what}: differs by {_distance(a, b)}"


def assert_close(one: Mapping[str, Tensor], two: Mapping[str, Tensor], relative: float, what: str) -> None:
    """Raise unless ‖a − b‖ ≤ relative·‖b‖ for each tensor."""
    assert one.keys() == two.keys(), f"{what}: other names"
    for name in one:
        size = float(torch.linalg.vector_norm(two[name].detach().double())) or 1.0
        off = float(torch.linalg.vector_norm((one[name] - two[name]).detach().double())) / size
        assert off <= relative, f"{what}: {name} differs by {off:.2g} of its size"


def at_neutral(one: Regularizer) -> Regularizer:
    """Return the technique with every strength at its neutral value."""
    return replace(one, **{name: spec.neutral for name, spec in one.strengths.items()})


def at_pressure(one: Regularizer, position: float) -> Regularizer:
    """Return the technique with every strength at this place between neutral (0) and strongest (1)."""
    return replace(one, **{name: float(spec.from_pressure(position)) for name, spec in one.strengths.items()})


def _distance(a: Any, b: Any) -> Any:
    return float((a.double() - b.double()).abs().max()) if isinstance(a, Tensor) and a.shape == b.shape else (a, b)
