"""One training of one cell, read eight times."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from benchmarks.effects.train import rows as row_losses
from benchmarks.headroom.cells import Family, Rows
from benchmarks.headroom.nets import net, settings
from benchmarks.headroom.recipes import DEFAULT, KEEP_OLD, strengths
from numpy.typing import NDArray
from torch import Tensor, nn

from temperance import Recipe
from temperance.core.batch import Batch
from temperance.core.leaves import Leaves
from temperance.core.session import Session
from temperance.training.loop import Examples, train

READINGS = 8
Answers = NDArray[np.float32]


@dataclass
class Run:
    """What one training answered.

    Attributes:
        held: (readings, rows, classes) probabilities on held-out rows, or (readings, rows, 1) values.
        test: the same on test rows.
        soup: (rows, classes) test answers of the mean of the weights at the readings of the second half.
        seconds: processor time of the training, without our readings.
        moved: strengths at the end.

    """

    held: Answers
    test: Answers
    soup: Answers
    seconds: float
    moved: dict[str, float] = field(default_factory=dict)


class _Reader:
    """Answers at eight points of a training, and the mean of the weights over the last four of them."""

    def __init__(self, held: Tensor, test: Tensor, classes: int) -> None:
        self.held, self.test, self.classes = held, test, classes
        self.found: list[tuple[Answers, Answers]] = []
        self.sum: list[Tensor] = []
        self.spent, self.soup, self.moved = 0.0, np.zeros((0, 0), np.float32), {}

    def __call__(self, fraction: float, session: Session) -> bool:
        started = time.process_time()
        served = session.served
        self.found.append((self._ask(session, self.held, served), self._ask(session, self.test, served)))
        if len(self.found) > READINGS // 2:
            now = [t.detach().clone() for t in (*session.solo.home.tensors, *_statistics(session.model))]
            self.sum = [a + b for a, b in zip(self.sum, now, strict=True)] if self.sum else now
        if len(self.found) == READINGS:
            self.soup, self.moved = self._averaged(session), session.strengths
        self.spent += time.process_time() - started
        return True

    def _ask(self, session: Session, inputs: Tensor, params: Leaves) -> Answers:
        out = session.solo.outputs(Batch(inputs, None), params).float()
        answers: Answers = (torch.softmax(out, -1) if self.classes else out).numpy()
        return answers

    def _averaged(self, session: Session) -> Answers:
        home, buffers = session.solo.home, _statistics(session.model)
        mean = [t / (READINGS // 2) for t in self.sum]
        kept = [b.clone() for b in buffers]
        for buffer, value in zip(buffers, mean[len(home) :], strict=True):
            buffer.copy_(value)
        answers = self._ask(session, self.test, Leaves(home.names, mean[: len(home)], owned=True))
        for buffer, value in zip(buffers, kept, strict=True):
            buffer.copy_(value)
        return answers


def _statistics(model: nn.Module) -> list[Tensor]:
    return [
        b for n, b in model.named_buffers() if b.is_floating_point() and n.endswith(("running_mean", "running_var"))
    ]


def fit(
    family: Family, rows: Rows, recipe: Recipe, seed: int, *, on: Examples | None = None,
    start: dict[str, Any] | None = None, rule: str = "",
) -> Run:  # fmt: skip
    """Train one net.

    Args:
        family: net and settings.
        rows: of the cell.
        recipe: what regularizes.
        seed: of weights, order and noise.
        on: rows to train on; ``rows.train`` where not given.
        start: pretrained weights.
        rule: name of the rule that moves strengths, empty for none.

    """
    given = on or rows.train
    model = net(family, rows, seed)
    if start is not None:
        model.load_state_dict(start)
    parts = [(rows.held, rows.test)] + ([(rows.old[1], rows.old[2])] if rows.old else [])
    reader = _Reader(
        torch.cat([held.inputs for held, _ in parts]), torch.cat([test.inputs for _, test in parts]), rows.classes
    )
    controller = rows.old[1] if rule == KEEP_OLD and rows.old else rows.held
    listens = bool({"gap", "valid_loss"} & recipe.controller.reads)
    plan = settings(family, len(given))
    marks = tuple((i + 1) / READINGS for i in range(READINGS))
    started = time.process_time()
    train(
        model, given, loss=row_losses, recipe=recipe, settings=plan, seed=seed, marks=marks, tick=reader,
        controller_rows=controller if listens else None,
    )  # fmt: skip
    seconds = time.process_time() - started - reader.spent
    held, test = (np.stack([found[i] for found in reader.found]) for i in (0, 1))
    return Run(held, test, reader.soup, seconds, {a: round(v, 4) for a, v in reader.moved.items()})


def pretrained(rows: Rows, seed: int) -> tuple[dict[str, Any], float, tuple[float, float]]:
    """Train the task before at the default; return weights, loss on its held-out rows, test loss and accuracy."""
    old = rows._replace(train=rows.old[0], held=rows.old[1], test=rows.old[2], old=None)  # type: ignore[index]
    model = net("transfer", old, 5000 + seed)
    recipe = strengths("transfer", numbers=False)[DEFAULT]
    done = train(
        model, old.train, loss=row_losses, recipe=recipe, settings=settings("transfer", len(old.train)), seed=seed
    )
    with torch.no_grad():
        held, out = (done.model(part.inputs) for part in (old.held, old.test))
        loss, after = (float(row_losses(*pair).mean()) for pair in ((held, old.held.targets), (out, old.test.targets)))
        right = float((out.argmax(1) == old.test.targets).double().mean())
    return {k: v.clone() for k, v in done.model.state_dict().items()}, loss, (after, right)
