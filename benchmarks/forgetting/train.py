"""One fine-tuning, and what it gained and lost."""

from __future__ import annotations

import copy
import statistics
import time
from functools import cache
from pathlib import Path
from typing import Any

import torch
from benchmarks.forgetting import model as nets
from benchmarks.forgetting import text
from benchmarks.forgetting.methods import BATCH, Method
from torch import nn

FOLDER = Path("/tmp/forgetting")
STEPS, TRAIN, TEST, OLD_EACH, WRITTEN = 400, 512, 200, 60, 2048


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
    """Return what the pretrained model writes by itself."""
    return nets.written(start(), WRITTEN, 5)


def new_test(name: str) -> text.Rows:
    return text.rows({**text.TUNING, **text.NEW}[name], TEST, 555, prompts_count=False)


def batch_of(method: Method, data: text.Rows, chosen: torch.Tensor, other: torch.Generator) -> dict[str, torch.Tensor]:
    """Return these rows, with rows of the model's own text behind them where the method holds these."""
    batch, many = data.batch(chosen), method.written * len(chosen) // BATCH
    if many:
        also = own_text().batch(torch.randint(0, WRITTEN, (many,), generator=other))
        batch = {key: torch.cat([batch[key], also[key]]) for key in batch}
    return batch


def fine_tune(method: Method, name: str, seed: int) -> dict[str, Any]:
    """Fine-tune on a task and measure: the gain on new rows, the loss on old ones, the divergence held."""
    data = text.rows({**text.TUNING, **text.NEW}[name], TRAIN, 9000 + seed, prompts_count=False)
    model = method.adapt(copy.deepcopy(start())).train()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=method.lr, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 10) * (1 - step / STEPS))
    session = method.recipe().attach(
        model, optimizer, loss=None, steps=STEPS, seed=seed, scheduler=schedule, select=None
    )
    generator, other = (torch.Generator().manual_seed(s) for s in (seed, 1000 + seed))  # all methods see the same rows
    told, rates = [], []
    began = time.process_time()
    for _ in range(STEPS):
        session.step(batch_of(method, data, torch.randint(0, len(data), (BATCH,), generator=generator), other))
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
