"""The trainings: one kind for each preset, on data sets cut for a seed; all fixed before the first run.

Every training is a session with ``validate`` once an epoch, so plain and preset alike serve the mean of their best
readings, as the package does by itself.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks.effects.special import adversaries
from benchmarks.effects.train import rows as loss_of
from benchmarks.halves import half
from benchmarks.headroom.cells import Cell, Rows, cells
from benchmarks.headroom.nets import convnet, net
from torch import Tensor, nn

from temperance import Recipe
from temperance.core.batch import Batch

NEW_HEAD = "12.*"  # the last layer of the convnet
FEW = {"fine-tuning": 100, "small-data": 200, "noisy-labels": 400}  # rows to learn from, a fifth of them held out
Figures = dict[str, float]


@dataclass(frozen=True)
class Task:
    """One data set of one kind.

    Attributes:
        kind: name of the preset that it is for.
        name: of the data set, and how it is used.
        half: ``tuned``: candidates were compared on it; ``once``: run once, after the presets were chosen.
        run: (recipe, seed) → figures on the test rows; None where the data are not there.

    """

    kind: str
    name: str
    half: str
    run: Callable[[Recipe, int], Figures | None]


def tasks(folder: Path, which: str) -> Iterator[Task]:
    """Yield the tasks of one half, all kinds in turn."""
    for cell in cells(folder, which):
        if cell.regime == "fine-tuning":
            yield Task("finetune", cell.name, which, tuner(replace(cell, most=FEW["fine-tuning"])))
        if cell.regime == "small tables":
            yield Task("small-data", cell.name, which, plainly(replace(cell, most=FEW["small-data"])))
        if cell.regime == "40 % wrong labels":
            yield Task("noisy-labels", cell.name, which, plainly(replace(cell, most=FEW["noisy-labels"])))
    for name in ("sms_spam", "trec6"):
        if half(name) == which:
            yield Task("lm", name, which, lambda recipe, seed, n=name: language(folder / n, recipe, seed))
    if which == "once":  # nothing was chosen on it: the preset is the literature's
        yield Task("gan", "eight Gaussians", which, lambda recipe, seed: adversaries(recipe, seed, wasserstein=False))


def tuner(cell: Cell) -> Callable[[Recipe, int], Figures | None]:
    """Return the fine-tuning of a convnet that learnt the task before, with a new head."""

    @cache
    def begun(seed: int) -> tuple[nn.Module, Rows] | None:
        rows = cell.cut(seed)
        if rows is None or rows.old is None:
            return None
        rows = rows._replace(**{part: _squares(getattr(rows, part)) for part in ("train", "held", "test")})
        old = [_squares(part) for part in rows.old]
        torch.manual_seed(seed)
        model = convnet(old[0].inputs[:2], rows.classes)
        train(Recipe(), model, old[0], old[1], epochs=15, lr=3e-3, seed=seed)
        return model, rows

    def run(recipe: Recipe, seed: int) -> Figures | None:
        found = begun(seed)
        if found is None:
            return None
        model, rows = copy.deepcopy(found[0]), found[1]
        torch.manual_seed(100 + seed)
        model[-1] = nn.Linear(model[-1].in_features, rows.classes)  # type: ignore[index, operator]
        seconds = train(recipe, model, rows.train, rows.held, epochs=30, lr=1e-3, seed=seed, size=16)
        return {**score(model, rows.test), "seconds": seconds}

    return run


def plainly(cell: Cell) -> Callable[[Recipe, int], Figures | None]:
    """Return the training of the package's plain net for a table."""

    def run(recipe: Recipe, seed: int) -> Figures | None:
        rows = cell.cut(seed)
        if rows is None:
            return None
        model = net("table", rows, seed)
        seconds = train(recipe, model, rows.train, rows.held, epochs=40, lr=2e-3, seed=seed)
        return {**score(model, rows.test), "seconds": seconds}

    return run


def train(
    recipe: Recipe, model: nn.Module, data: Any, held: Any, *, epochs: int, lr: float, seed: int, size: int = 64
) -> float:
    """Train with AdamW and a cosine; put the chosen weights in; return the seconds."""
    began = time.process_time()
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.0)
    steps = -(-len(data.inputs) // size)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * min(1.0, step / (epochs * steps))))
    )
    session = recipe.attach(
        model.train(), optimizer, loss=loss_of, epochs=epochs, steps_per_epoch=steps, seed=seed, scheduler=schedule
    )
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for chosen in torch.randperm(len(data.inputs), generator=generator).split(size):
            if len(chosen) > 1:
                session.step(Batch(data.inputs[chosen], data.targets[chosen], index=chosen))
                schedule.step()
        session.validate([Batch(held.inputs, held.targets)])
    session.finish(batches=[Batch(data.inputs, data.targets)])
    return time.process_time() - began


def score(model: nn.Module, test: Any) -> Figures:
    """Return mean loss and accuracy (of numbers the loss alone) on the test rows."""
    with torch.no_grad():
        out = model.eval()(test.inputs)
    found = {"loss": float(loss_of(out, test.targets).mean())}
    if not test.targets.is_floating_point():
        found["accuracy"] = float((out.argmax(1) == test.targets).double().mean())
    return found


def language(folder: Path, recipe: Recipe, seed: int) -> Figures | None:
    """Train a small GPT-2 from scratch on 400 lines, letter by letter; the loss is per letter, on 600 others."""
    lines = _letters(folder)
    if lines is None:
        return None
    from transformers import GPT2Config, GPT2LMHeadModel

    order = np.random.default_rng(seed).permutation(len(lines))
    train_x, held, test = (lines[order[a:b]] for a, b in ((0, 400), (400, 500), (500, 1100)))
    torch.manual_seed(seed)
    model = GPT2LMHeadModel(GPT2Config(
        vocab_size=128, n_positions=64, n_embd=48, n_layer=3, n_head=4, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
    ))  # fmt: skip
    began, epochs, size = time.process_time(), 15, 32
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.0)
    steps = -(-len(train_x) // size)
    session = recipe.attach(
        model.train(), optimizer, loss=None, epochs=epochs, steps_per_epoch=steps, seed=seed,
        scheduler=(schedule := torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * min(1.0, step / (epochs * steps))))
        )),
    )  # fmt: skip
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for chosen in torch.randperm(len(train_x), generator=generator).split(size):
            session.step(_lm(train_x[chosen]))
            schedule.step()
        session.validate([_lm(held)])
    session.finish()
    with torch.no_grad():
        loss = float(model.eval()(**_lm(test)).loss)
    return {"loss": loss, "seconds": time.process_time() - began}


def _lm(ids: Tensor) -> dict[str, Tensor]:
    return {"input_ids": ids, "labels": ids.masked_fill(ids == 0, -100)}


@cache
def _letters(folder: Path) -> Tensor | None:
    """Return the first 64 letters of each text as codes, 0 behind its end: (n, 64)."""
    place = folder / "data.parquet"
    if not place.exists():
        return None
    import polars as pl

    target = json.loads((folder / "meta.json").read_text())["target"]
    frame = pl.read_parquet(place).drop(target)
    column = next(name for name, kind in frame.schema.items() if kind == pl.String and name != "split")
    codes = torch.zeros(len(frame), 64, dtype=torch.int64)
    for i, text in enumerate(frame[column]):
        kept = [min(ord(letter), 127) for letter in text[:64]]
        codes[i, : len(kept)] = torch.tensor(kept)
    return codes


def _squares(part: Any) -> Any:
    side = round(part.inputs.shape[1] ** 0.5)
    return replace(part, inputs=part.inputs.reshape(-1, 1, side, side))
