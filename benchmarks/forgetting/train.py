"""One fine-tuning, and what it gained and lost."""

from __future__ import annotations

import copy
import os
import statistics
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import torch
from benchmarks.forgetting import model as nets
from benchmarks.forgetting import text
from benchmarks.forgetting.methods import BATCH, Method
from torch import nn

from temperance.signals import Forgetting

FOLDER = Path("/tmp/forgetting")
STEPS, TRAIN, TEST, OLD_EACH, WRITTEN = 400, 512, 200, 60, 9600
KEPT_EACH, LOOK = 12, 20  # old rows of each kind that ``forgetting`` is measured on, and after how many steps each time


@cache
def start() -> nn.Module:
    """Return the pretrained model; nobody trains this one."""
    return nets.pretrained(FOLDER)


@cache
def old(task: str) -> text.Rows:
    """Return held-out rows of the five kinds that the task is none of."""
    return nets.old_rows(OLD_EACH, 79 if task in text.NEW else 77, text.kept(task))


@cache
def before(name: str) -> dict[str, dict[str, float]]:
    """Return what the pretrained model scores on old rows and on a new task."""
    return {"old": nets.measured(start(), old(name)), "new": nets.measured(start(), new_test(name))}


@cache
def own_text() -> text.Rows:
    """Return what the pretrained model writes by itself; from the folder where it was written before."""
    file = FOLDER / f"own_text_{WRITTEN}.pt"
    if not file.exists():
        waiting = file.with_suffix(f".{os.getpid()}")
        torch.save(nets.written(start(), WRITTEN, 5).ids, waiting)
        os.replace(waiting, file)
    ids = torch.load(file, weights_only=True)
    nothing = torch.full_like(ids, text.IGNORE)
    return text.Rows(ids, nothing, nothing)


@cache
def _beginnings() -> tuple[torch.Tensor, ...]:
    """Return which rows of the own text begin with the same token, for each."""
    first = own_text().ids[:, 0]
    return tuple(torch.nonzero(first == token)[:, 0] for token in first.unique())


def own_rows(generator: torch.Generator) -> Iterator[int]:
    """Yield rows of the own text by lot, of each beginning in turn: the divergence then scatters less.

    No row returns before all of its beginning were shown: what is learned by heart tells too small a divergence.
    """
    while True:
        orders = [pool[torch.randperm(len(pool), generator=generator)].tolist() for pool in _beginnings()]
        for turn in zip(*orders, strict=False):
            yield from turn


def kept_rows(task: str) -> list[dict[str, torch.Tensor]]:
    """Return the few old rows that ``forgetting`` is measured on: of other seeds than those that the table shows."""
    return [nets.old_rows(KEPT_EACH, 4242, text.kept(task)).batch(slice(None))]


def new_test(name: str) -> text.Rows:
    return text.rows({**text.TUNING, **text.NEW}[name], TEST, 555, prompts_count=False)


def batch_of(method: Method, data: text.Rows, chosen: torch.Tensor, own: Iterator[int]) -> dict[str, torch.Tensor]:
    """Return these rows, or the first of them, with rows of the model's own text behind where these are held."""
    new, many = (rows * len(chosen) // BATCH for rows in (method.fresh, method.written))
    batch = data.batch(chosen[:new])
    if many:
        also = own_text().batch(torch.tensor([next(own) for _ in range(many)]))
        batch = {key: torch.cat([batch[key], also[key]]) for key in batch}
    return batch


def swing(told: list[float], block: int = 20) -> float:
    """Return the standard deviation of the means of so many steps each, as a share of their mean."""
    means = [statistics.mean(told[i : i + block]) for i in range(0, len(told), block)]
    return statistics.pstdev(means) / statistics.mean(means)


def falling(step: int, late: float, least: float) -> float:
    """Return the share of the largest rate: level, then falling in a line in the last ``late`` of the steps."""
    return least + (1 - least) * min(1.0, (1 - step / STEPS) / late)


def fine_tune(method: Method, name: str, seed: int) -> dict[str, Any]:
    """Fine-tune on a task and measure: the gain on new rows, the loss on old ones, the divergence held."""
    data = text.rows({**text.TUNING, **text.NEW}[name], TRAIN, 9000 + seed, prompts_count=False)
    model = method.adapt(copy.deepcopy(start())).train()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=method.lr, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / 10, falling(step, method.late, method.least))
    )
    signals = [] if method.keeps is None else [Forgetting({"old": kept_rows(name)}, share=True)]
    session = method.recipe().attach(
        model, optimizer, loss=None, steps=STEPS, seed=seed, scheduler=schedule, select=None, signals=signals
    )
    generator = torch.Generator().manual_seed(seed)  # all methods see the same rows
    own = own_rows(torch.Generator().manual_seed(1000 + seed))
    told, rates, lost_so_far = [], [], []
    began = time.process_time()
    for step in range(STEPS):
        session.step(batch_of(method, data, torch.randint(0, len(data), (BATCH,), generator=generator), own))
        if signals and (step + 1) % LOOK == 0:
            lost_so_far.append(session.validate(value=0.0, better="lower")["forgetting"])
        schedule.step()
        told.append(session.signals.get("kl", float("nan")))
        rates.append(session.strengths.get("kl_anchor.rate", float("nan")))
    seconds = time.process_time() - began
    session.finish()
    after, known = nets.measured(model, new_test(name)), before(name)
    lost = nets.measured(model, old(name))
    last = told[-STEPS // 3 :]
    return {
        "task": name,
        "seed": seed,
        "gain": known["new"]["answer_loss"] - after["answer_loss"],
        "new_answer_loss": after["answer_loss"],
        "new_exact": after["exact"],
        "old_loss_rise": lost["loss"] / known["old"]["loss"] - 1,
        "old_exact_drop": 1 - lost["exact"] / known["old"]["exact"],
        "kl_held": statistics.mean(last) if method.held else None,
        "kl_second_half": statistics.mean(told[STEPS // 2 :]) if method.held else None,
        "kl_swing": swing(told[STEPS // 2 :]) if method.held else None,
        "forgetting_second_half": statistics.mean(lost_so_far[len(lost_so_far) // 2 :]) if signals else None,
        "forgetting_end": lost_so_far[-1] if signals else None,
        "kl_test": nets.apart(model, start(), new_test(name)),
        "kl_own_text": _on_own_text(model),
        "rate": rates[-1] if method.held else None,
        "seconds": seconds,
    }


@cache
def _other_text() -> text.Rows:
    rows = nets.written(start(), 200, 6)
    tokens = torch.where(rows.ids == 0, text.IGNORE, rows.ids)
    return text.Rows(rows.ids, rows.labels, tokens)


def _on_own_text(model: nn.Module) -> float:
    """Return the mean KL(start ‖ model) on other text that the pretrained model wrote, in evaluation mode, in nats."""
    return nets.apart(model, start(), _other_text())
