"""The price of a recipe on this machine, this model and this batch, each figure as a ratio to the plain step."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from temperance.core.batch import Batch, call
from temperance.core.batches import Reader
from temperance.core.leaves import Leaves
from temperance.core.recipe import Recipe
from temperance.core.session import Session
from temperance.core.statistics import evaluating

Loss = Callable[[Any, Any], Tensor]
MakeOptimizer = Callable[[nn.Module], torch.optim.Optimizer]
Clock = Callable[[], float]


@dataclass(frozen=True)
class Price:
    """What one technique, or the whole recipe, costs.

    Attributes:
        name: address of the technique, or ``recipe`` for all together.
        ms_per_step: median time of a step, ms.
        ratio: median of (step with it) / (plain step), pair by pair.
        ratio_low: lower quartile of these ratios.
        ratio_high: upper quartile.
        forwards: declared forward passes per step.
        backwards: declared backward passes per step.
        memory_bytes: bytes that it keeps between steps (averages, memories).
        inference_ratio: median of (prediction with it) / (plain prediction), once training is finished.
        steps: pairs of steps that the figures rest on.

    """

    name: str
    ms_per_step: float
    ratio: float
    ratio_low: float
    ratio_high: float
    forwards: float
    backwards: float
    memory_bytes: int
    inference_ratio: float
    steps: int

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return asdict(self)


def price_recipe(
    recipe: Recipe,
    model: nn.Module,
    batch: Any,
    *,
    loss: Loss,
    optimizer: MakeOptimizer | None = None,
    steps: int = 40,
    warmup: int = 5,
    clock: Clock = time.perf_counter,
) -> list[Price]:
    """Measure each technique alone and the whole recipe against the plain step, in turn (A B A B …).

    Args:
        recipe: what to price.
        model: copied; the original stays as it is.
        batch: one typical training batch.
        loss: ``loss(outputs, targets)``.
        optimizer: ``optimizer(model)``; AdamW without decay where not given.
        steps: pairs of steps per technique.
        warmup: pairs thrown away first.
        clock: what tells seconds; ``time.process_time`` on a busy processor with one thread.

    Returns:
        One price per technique in the recipe's order, then ``recipe`` for all (where there are two or more).

    """
    one = Reader(model).one(batch)
    parts = {address: Recipe(r) for address, r in recipe.by_address.items()}
    if len(parts) != 1:
        parts["recipe"] = recipe
    make = optimizer or (lambda m: torch.optim.AdamW(m.parameters(), lr=1e-4, weight_decay=0.0))
    return [_price(name, part, model, one, loss, make, steps, warmup, clock) for name, part in parts.items()]


def _price(
    name: str,
    recipe: Recipe,
    model: nn.Module,
    batch: Batch,
    loss: Loss,
    make: MakeOptimizer,
    steps: int,
    warmup: int,
    clock: Clock,
) -> Price:
    total = steps + warmup + 1
    plain, priced = (_session(r, model, loss, make, total) for r in (Recipe(), recipe))
    base, own = [], []
    for i in range(steps + warmup):
        a, b = _time(lambda: plain.step(batch), clock), _time(lambda: priced.step(batch), clock)
        if i >= warmup:
            base.append(a)
            own.append(b)
    ratios = sorted(b / a for a, b in zip(base, own, strict=True))
    costs = [r.cost for r in recipe.regularizers]
    kept = sum(_bytes(memory) for memory in priced._memory.values())
    finished = [session.finish(batches=[batch]) for session in (plain, priced)]
    return Price(
        name, 1000 * median(own), median(ratios), ratios[len(ratios) // 4], ratios[(3 * len(ratios)) // 4],
        max((c.forwards for c in costs), default=1.0), max((c.backwards for c in costs), default=1.0), kept,
        _inference(finished[0], finished[1], batch, steps, clock), steps,
    )  # fmt: skip


def _session(recipe: Recipe, model: nn.Module, loss: Loss, make: MakeOptimizer, total: int) -> Session:
    own = copy.deepcopy(model).train()
    return recipe.attach(own, make(own), loss=loss, epochs=1, steps_per_epoch=total)


def _inference(plain: nn.Module, priced: nn.Module, batch: Batch, repeats: int, clock: Clock) -> float:
    ratios = []
    with torch.no_grad(), evaluating(plain), evaluating(priced):
        for i in range(repeats + 3):
            a = _time(lambda: call(plain, batch.inputs), clock)
            b = _time(lambda: call(priced, batch.inputs), clock)
            if i >= 3:
                ratios.append(b / a)
    return median(ratios)


def _time(act: Callable[[], Any], clock: Clock) -> float:
    started = clock()
    act()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return clock() - started


def _bytes(memory: Any) -> int:
    if isinstance(memory, Tensor):
        return memory.numel() * memory.element_size()
    values = memory.tensors if isinstance(memory, Leaves) else memory.values() if isinstance(memory, dict) else ()
    return sum(_bytes(value) for value in values)
