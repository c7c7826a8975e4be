"""The check of ``torch.compile``: the same training, and nothing is compiled again because a strength moved."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor

from temperance.core.recipe import Recipe
from temperance.core.regularizer import Regularizer
from temperance.testing.problems import Problem
from temperance.testing.training import LR, MOMENTUM, STEPS, assert_close

Way = Literal["plain", "compiled, then attached", "attached, then compiled"]

FIRST = (0.3, 0.0, 0.5)  # pressures at which code may be compiled: the start, off, and moved once
MOVES = (0.2, 0.8, 0.0, 0.6)
CLOSE = 1e-9


def compiled(one: Regularizer, problem: Problem, *, backend: str = "aot_eager") -> None:
    """Check that a compiled model trains as the plain one and that moves of strengths compile nothing new.

    Once as ``torch.compile(model)`` that is attached; once attached, then compiled in place by ``model.compile()``.
    """
    recipe = Recipe(one)
    expected, _ = run(recipe, problem, "plain")
    ways: tuple[tuple[Way, str], ...] = (("compiled, then attached", backend), ("attached, then compiled", "eager"))
    for way, how in ways:
        weights, frames = run(recipe, problem, way, how)
        assert frames[-1] > 0, f"{way}: nothing was compiled"
        assert frames[-1] == frames[len(FIRST) - 1], f"{way}: a moved strength compiled again, frames {frames}"
        assert_close(weights, expected, CLOSE, way)


def run(
    recipe: Recipe,
    problem: Problem,
    way: Way,
    backend: str = "eager",
    *,
    dtype: torch.dtype = torch.float64,
    autocast: torch.dtype | None = None,
    parts: int = 1,
) -> tuple[dict[str, Tensor], list[int]]:
    """Train while all strengths move; return weights and buffers, and frames compiled so far after each step.

    Args:
        recipe: what to attach.
        problem: model and batches.
        way: whether the model is compiled, and when.
        backend: what compiles.
        dtype: of the model.
        autocast: mixed precision, or None.
        parts: micro-batches per step.

    """
    frames: list[int] = []
    with _compiling(backend) as counter:
        model = problem.model(dtype).train()
        given: Any = torch.compile(model, backend=counter) if way == "compiled, then attached" else model
        optimizer = torch.optim.SGD(given.parameters(), lr=LR, momentum=MOMENTUM)
        planned = {"epochs": 2, "steps_per_epoch": STEPS // 2}
        session = recipe.attach(given, optimizer, loss=problem.loss, autocast=autocast, **planned)
        if way == "attached, then compiled":
            session.model.compile(backend=counter)
        for number, pressure in enumerate((*FIRST, *MOVES)):
            for address, spec in recipe.specs.items():
                session.set_strength(address, float(spec.from_pressure(pressure)))
            micros = [problem.batch(number + j, dtype) for j in range(parts)]
            session.step(micros if parts > 1 else micros[0])
            frames.append(counter.frame_count)
        kept = {name: t.detach().clone() for name, t in model.state_dict().items()}
        session._detach()
    return kept, frames


@contextmanager
def _compiling(backend: str) -> Iterator[Any]:
    """Start and end without compiled code; give a backend that counts. Dynamo warns about its own looking at .grad."""
    from torch._dynamo.testing import CompileCounterWithBackend

    torch.compiler.reset()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield CompileCounterWithBackend(backend)
    finally:
        torch.compiler.reset()
