"""Train one net with one recipe on rows that lie in memory."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from temperance.control.base import Move
from temperance.core.batch import Batch, map_leaves
from temperance.core.proof import Evidence
from temperance.core.random import fold, permutation
from temperance.core.readings import NeverHeard
from temperance.core.recipe import Recipe
from temperance.core.selection import Select
from temperance.core.session import Session
from temperance.training.adamw import AdamW
from temperance.training.settings import TrainSettings

EVALUATION_BATCH = 4096
READINGS = 20  # how often, at least, controllers look at their rows in one training
PROOF_AT = 0.3  # fraction of the training at which every ingredient is tested for acting

Tick = Callable[[float, Session], bool]
"""Called with the fraction done and the session at every mark; returns False to stop the training there."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Rows ready for a net. Shapes: each leaf of ``inputs`` (b, …) · targets (b,) · weight (b,) or None."""

    inputs: Any
    targets: Tensor
    weight: Tensor | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def batch(self, index: Tensor) -> Batch:
        """Select rows."""
        inputs = map_leaves(lambda leaf: leaf[index], self.inputs)
        weight = None if self.weight is None else self.weight[index]
        return Batch(inputs, self.targets[index], weight, index=index)

    def batches(self, size: int = EVALUATION_BATCH) -> Iterator[Batch]:
        """Yield all rows in order."""
        for start in range(0, len(self), size):
            yield self.batch(torch.arange(start, min(start + size, len(self))))


@dataclass(eq=False)
class Trained:
    """A finished (or stopped) training.

    Attributes:
        model: the net with its served weights, in evaluation mode.
        steps: optimizer steps done.
        epochs: epochs done.
        fraction: share of the planned training done.
        seconds: wall clock of the training.
        passes: forward and backward passes over a batch, by the declared cost.
        trace: moves of the strengths.
        history: one row per epoch.
        proof: evidence that each ingredient acted.
        stopped: why it ended before its plan; empty where it did not.
        warnings: what the recipe's rules say about these ingredients on this model, and alarms that rang in training.
        signal_seconds: part of ``seconds`` that went into each signal.
        ended: ``time.monotonic()`` of its end; what follows in the same process closes it.

    """

    model: nn.Module
    steps: int
    epochs: float
    fraction: float
    seconds: float
    passes: int
    trace: list[Move]
    history: list[dict[str, float]] = field(default_factory=list)
    proof: list[Evidence] = field(default_factory=list)
    stopped: str = ""
    signal_seconds: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    ended: float = 0.0


def train(
    model: nn.Module,
    train_rows: Examples,
    *,
    loss: Callable[[Any, Any], Tensor],
    recipe: Recipe,
    settings: TrainSettings,
    seed: int = 0,
    controller_rows: Examples | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    marks: tuple[float, ...] = (),
    tick: Tick | None = None,
    deadline: float = math.inf,
    until: float = 1.0,
    member_strengths: Mapping[str, Sequence[float]] | None = None,
    select: Select | None = None,
) -> Trained:
    """Train ``model`` and return it with its served weights.

    Args:
        model: a fresh net.
        train_rows: rows that gradients come from.
        loss: ``loss(outputs, targets)`` → (b,).
        recipe: techniques and controller.
        settings: epochs, batches, learning rate.
        seed: seed of the batch order and of all noise.
        controller_rows: rows that controllers read, once an epoch and at least 20 times; None or empty: none.
        optimizer: AdamW without decay where not given.
        marks: fractions of the training at which ``tick`` is asked whether to go on.
        tick: see ``Tick``.
        deadline: ``time.monotonic()`` at which the training ends unfinished.
        until: stop at this fraction of the plan (an earlier run's stopping point); the rate follows the whole plan.
        member_strengths: values (k,) by address for a net of k members; see ``core.members``.
        select: which weights the controller rows may choose, see ``Session``; None: the last ones, or a controller's.

    """
    plan = _Plan(len(train_rows), settings, seed, until)
    own = optimizer or _adamw(model, settings)
    model.train()
    session = recipe.attach(
        model,
        own,
        loss=loss,
        epochs=plan.epochs,
        steps_per_epoch=plan.per_epoch,
        steps=plan.total,
        seed=seed,
        member_strengths=member_strengths,
        select=select,
        nan="ignore",  # a training that blew up ends at its next reading, with the weights that were kept
    )
    try:
        return _run(session, train_rows, controller_rows, plan, marks, tick, deadline)
    finally:
        session._detach()


def _adamw(model: nn.Module, settings: TrainSettings) -> torch.optim.Optimizer:
    """Return AdamW without decay: on a CPU our own, which is the same in a fraction of the time."""
    parameters = list(model.parameters())
    ours = all(p.device.type == "cpu" and p.is_floating_point() for p in parameters)
    kind: Any = AdamW if ours else torch.optim.AdamW
    made: torch.optim.Optimizer = kind(parameters, lr=settings.lr, betas=(0.9, settings.beta2), weight_decay=0.0)
    return made


@dataclass(frozen=True)
class _Plan:
    rows: int
    settings: TrainSettings
    seed: int
    until: float

    @property
    def per_epoch(self) -> int:
        return self.settings.steps_per_epoch(self.rows)

    @property
    def total(self) -> int:
        return self.settings.steps(self.rows)

    @property
    def last(self) -> int:
        return max(1, round(self.total * self.until))

    @property
    def epochs(self) -> int:
        return max(1, math.ceil(self.total / self.per_epoch))

    def order(self, epoch: int) -> list[Tensor]:
        """Return the batches of one epoch."""
        shuffled = permutation(fold(self.seed, "order", epoch), self.rows, torch.device("cpu"))
        parts = list(torch.split(shuffled, self.settings.batch_size))
        if len(parts) > 1 and len(parts[-1]) == 1:
            parts[-2:] = [torch.cat(parts[-2:])]
        return parts[: self.per_epoch]

    def batches(self) -> Iterator[Tensor]:
        """Yield the batches of all epochs."""
        for epoch in range(self.epochs):
            yield from self.order(epoch)


def _run(
    session: Session, rows: Examples, controller_rows: Examples | None, plan: _Plan,
    marks: tuple[float, ...], tick: Tick | None, deadline: float,
) -> Trained:  # fmt: skip
    started, stopped = time.monotonic(), ""
    course = _Course(session, rows, controller_rows, plan)
    waiting = sorted(marks)
    for index in plan.batches():
        course.step(index)
        stopped = _why_stop(session, course.done, plan, deadline)
        while waiting and course.fraction >= waiting[0] - 1e-9 and not stopped:
            waiting.pop(0)
            if tick is not None and not tick(course.fraction, session):
                stopped = "discarded"
            session.model.train()
        if stopped or course.done >= plan.last:
            break
    course.note()
    done = course.done
    passes = int(done * max((r.cost.forwards + r.cost.backwards for r in session.recipe.regularizers), default=2))
    told = session.warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NeverHeard)  # it is in ``told``
        model = session.finish(batches=[rows.batch(i) for i in plan.order(0)])
    ended = time.monotonic()
    return Trained(
        model, done, done / plan.per_epoch, done / plan.total, ended - started, passes,
        session.trace, course.history, course.proof, stopped, session.signal_seconds, told, ended,
    )  # fmt: skip


class _Course:
    """The run so far: steps, proof, history, and when the controller rows are looked at."""

    def __init__(self, session: Session, rows: Examples, controller_rows: Examples | None, plan: _Plan) -> None:
        self.session, self.rows, self.plan = session, rows, plan
        self.held = controller_rows if controller_rows is not None and len(controller_rows) else None
        self.every = max(1, min(plan.per_epoch, plan.last // READINGS))
        self.done, self.counted, self.running = 0, 0, torch.zeros(())
        self.history: list[dict[str, float]] = []
        self.proof: list[Evidence] = []

    @property
    def fraction(self) -> float:
        return self.done / self.plan.total

    def step(self, index: Tensor) -> None:
        """Take one step, and the proof and the readings when they are due."""
        _set_rate(self.session, self.plan.settings.rate(self.fraction))
        batch = self.rows.batch(index)
        self.running = self.running + self.session.step(batch).loss.detach()
        self.counted, self.done = self.counted + 1, self.done + 1
        if not self.proof and len(self.session.recipe) and self.done >= max(1, int(PROOF_AT * self.plan.last)):
            self.proof = self.session.proof(batch)
            self.session.model.train()
        if self.done % self.every == 0:
            self.note()

    def note(self) -> None:
        """Add a row to the history; the controllers look at their rows."""
        if not self.counted:
            return
        row = {"epoch": self.done / self.plan.per_epoch, "fraction": self.fraction}
        self.history.append({**row, "train_loss_regularized": float(self.running) / self.counted})
        self.running, self.counted = torch.zeros(()), 0
        if self.held is not None:
            self.history[-1] |= self.session.validate(self.held.batches())
            self.session.model.train()


def _why_stop(session: Session, done: int, plan: _Plan, deadline: float) -> str:
    if session.stopped and done < plan.last:
        return "its controller stopped it: no further gain on the controller rows"
    return "out of time" if time.monotonic() > deadline and done < plan.last else ""


def _set_rate(session: Session, rate: float) -> None:
    for group in session.optimizer.param_groups:
        group["lr"] = rate * group.get("relative_lr", 1.0)
