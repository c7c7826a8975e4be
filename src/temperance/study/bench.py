"""A net and one training batch, for measuring what techniques cost on them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from temperance.core.batch import Batch
from temperance.core.recipe import Recipe
from temperance.data import read, save_roles
from temperance.records.errors import TaskError
from temperance.records.roles import Roles
from temperance.study.images import default_net
from temperance.study.runner import Runner, user_loss
from temperance.study.spec import TrialSpec
from temperance.study.store import save_table
from temperance.study.task import TaskInfo, load_task, make_task
from temperance.training.predictor import examples

TOKENS = 100  # different whole numbers in random rows of tokens


@dataclass(frozen=True, eq=False)
class Bench:
    """What is timed.

    Attributes:
        model: a net; steps are taken on copies of it.
        batch: what ``session.step`` takes.
        loss: ``loss(outputs, targets)``, or None for the model's own.
        optimizer: ``optimizer(model)``, or None for AdamW.

    """

    model: nn.Module
    batch: Any
    loss: Any
    optimizer: Any = None

    def try_out(self) -> None:
        """Take one plain step on a copy.

        Raises:
            TaskError: it fails, or the loss is not a number.

        """
        from temperance.core.price import price_recipe

        try:
            price_recipe(Recipe(), self.model, self.batch, loss=self.loss, optimizer=self.optimizer, steps=3, warmup=0)
        except Exception as fault:  # a user's net may fail in any way; it is told, not hidden
            raise TaskError(
                f"the net cannot take a plain step on this batch: {type(fault).__name__}: {fault}",
                f"it was called with {_shape(self.batch)}",
                "Mend it; give --data DATA for rows as in a study, or Task(batch=…) for a batch of your own",
            ) from fault


def of_data(data: str, target: str | None, *, task: str, rows: int) -> Bench:
    """Return a net as a study of these data would train it, with its first rows as the batch.

    Args:
        data: as a study takes it.
        target: the column to predict.
        task: ``module:function`` of a user's net; empty: the default net.
        rows: of the batch.

    """
    with tempfile.TemporaryDirectory(prefix="temperance-") as scratch:
        folder = Path(scratch)
        table = read(data, target=target, workdir=folder / "read").table
        order = np.random.default_rng(0).permutation(len(table)).astype(np.int64)
        none = np.empty(0, dtype=np.int64)
        save_table(table, folder / "table")
        save_roles(Roles(np.sort(order), none, none, none, none), folder / "roles.npz")
        runner = Runner(folder, task=task)
        model = "user" if task else default_net(table.schema)
        spec = TrialSpec("bench", "bench", "plain", model, {"regularizers": []})
        preprocess = runner.preprocess(np.sort(order))
        made = runner.net(spec, preprocess, np.sort(order))
        some = order[: min(rows, len(order))]
        shown = examples(runner.fed(made, preprocess), table, some, torch.device("cpu"), own=not task)
        batch = Batch(shown.inputs, shown.targets, shown.weight, torch.arange(len(some)))
        return Bench(made.model, batch, made.loss, made.optimizer)


def of_random(task: str, *, rows: int, features: int, classes: int) -> Bench:
    """Return a net on random rows, or on the batch that a user's ``Task`` brings.

    Args:
        task: ``module:function`` of a user's net; empty: a net of two hidden layers.
        rows: of the batch.
        features: numeric inputs.
        classes: of the target.

    """
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(rows, features, generator=generator)
    targets = torch.randint(0, classes, (rows,), generator=generator)
    if not task:
        layers = nn.Linear(features, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, classes)
        return Bench(nn.Sequential(*layers), _batch(inputs, targets), nn.functional.cross_entropy)
    names, kind = tuple(f"x{i}" for i in range(features)), "binary" if classes == 2 else "multiclass"
    told = TaskInfo(kind, classes, tuple(map(str, range(classes))), names, (), (), None, rows, 0, names, TOKENS - 1)
    made = make_task(load_task(task), told)
    loss = made.loss or user_loss(kind)
    if made.batch is not None:  # a dict goes to models that compute their loss themselves
        own = isinstance(made.batch, dict) and made.loss is None
        return Bench(made.model, made.batch, None if own else loss, made.optimizer)
    if made.inputs == "tokens":
        inputs = torch.randint(0, TOKENS, (rows, features), generator=generator)
    return Bench(made.model, _batch(inputs, targets), loss, made.optimizer)


def _batch(inputs: Tensor, targets: Tensor) -> Batch:
    return Batch(inputs, targets, index=torch.arange(len(inputs)))


def _shape(batch: Any) -> str:
    """Return a batch in words: shapes and types of its tensors."""
    if isinstance(batch, Batch):
        return _shape(batch.inputs)
    if isinstance(batch, Tensor):
        return f"a tensor {tuple(batch.shape)} of {str(batch.dtype).removeprefix('torch.')}"
    if isinstance(batch, dict):
        return "{" + ", ".join(f"{key}: {_shape(value)}" for key, value in batch.items()) + "}"
    if isinstance(batch, list | tuple):
        return "(" + ", ".join(_shape(part) for part in batch) + ")"
    return type(batch).__name__
