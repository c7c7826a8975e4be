"""The pretrained model: a GPT-2 of about a million weights, trained once and kept in a folder for the next run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
import transformers
from benchmarks.forgetting import text
from torch import nn
from torch.nn import functional

transformers.logging.set_verbosity_error()


def fresh(seed: int) -> nn.Module:
    """Return the model before pretraining."""
    torch.manual_seed(seed)
    config = transformers.GPT2Config(
        vocab_size=len(text.ALPHABET), n_positions=text.LENGTH, n_embd=128, n_layer=5, n_head=4,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=0, eos_token_id=0, use_cache=False,
        activation_function="gelu_pytorch_tanh",  # what gelu_new computes, by one kernel instead of eight
    )  # fmt: skip
    return transformers.GPT2LMHeadModel(config)


def old_rows(count: int, seed: int, kinds: list[str] | None = None) -> text.Rows:
    """Return rows of these old kinds (all six), ``count`` of each."""
    drawn = enumerate(text.OLD.items())
    return text.joined(
        [
            text.rows(draw, count, seed + 1000 * i, prompts_count=True)
            for i, (name, draw) in drawn
            if kinds is None or name in kinds
        ]
    )


def pretrained(folder: Path, seed: int = 0, steps: int = 2500) -> nn.Module:
    """Return the pretrained model, from ``folder`` where it was trained before."""
    file = folder / f"pretrained_{seed}_{steps}.pt"
    model = fresh(seed)
    if file.exists():
        model.load_state_dict(torch.load(file, weights_only=True))
        return model
    folder.mkdir(parents=True, exist_ok=True)
    data = old_rows(20_000, 10_000_000 + seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps, pct_start=0.1)
    generator = torch.Generator().manual_seed(seed)
    started = time.perf_counter()
    for step in range(steps):
        batch = data.batch(torch.randint(0, len(data), (48,), generator=generator))
        loss = model(**batch).loss
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 250 == 0:
            print(
                f"pretraining {step}/{steps}: loss {float(loss.detach()):.3f}, {time.perf_counter() - started:.0f} s",
                flush=True,
            )
    torch.save(model.state_dict(), file)
    return model


@torch.no_grad()
def written(model: nn.Module, count: int, seed: int) -> text.Rows:
    """Return rows that the model writes by itself, none of them with a label.

    Rows of this text have no common beginning, so the first letter is one of the six that name the old kinds, by lot.
    """
    generator = torch.Generator().manual_seed(seed)
    model.eval()
    first = torch.tensor([text.ALPHABET.index(c) for c in "SRCAKF"])
    ids = first[torch.randint(0, len(first), (count, 1), generator=generator)]
    ended = torch.zeros(count, dtype=torch.bool)
    for _ in range(text.LENGTH - 1):
        p = torch.softmax(model(input_ids=ids).logits[:, -1].double(), -1)
        drawn = torch.multinomial(p, 1, generator=generator)[:, 0]
        drawn = torch.where(ended, 0, drawn)
        ended |= drawn == text.ALPHABET.index(";")
        ids = torch.cat([ids, drawn[:, None]], 1)
    nothing = torch.full_like(ids, text.IGNORE)
    return text.Rows(ids, nothing, nothing)


@torch.no_grad()
def measured(model: nn.Module, rows: text.Rows) -> dict[str, float]:
    """Return the loss over all tokens that count, that over answers, and the share of whole answers that are right."""
    was = model.training
    model.eval()
    sums = dict.fromkeys(("loss", "answer_loss"), 0.0)
    counts = dict.fromkeys(sums, 0)
    right = 0
    for i in range(0, len(rows), 500):
        cut: Any = slice(i, i + 500)
        logits = model(input_ids=rows.ids[cut]).logits[:, :-1].double()
        for name, labels in (("loss", rows.labels[cut, 1:]), ("answer_loss", rows.answers[cut, 1:])):
            ce = functional.cross_entropy(logits.transpose(1, 2), labels, ignore_index=text.IGNORE, reduction="sum")
            sums[name] += float(ce)
            counts[name] += int((labels != text.IGNORE).sum())
        wanted = rows.answers[cut, 1:]
        hit = (logits.argmax(-1) == wanted) | (wanted == text.IGNORE)
        right += int(hit.all(1).sum())
    model.train(was)
    return {**{name: sums[name] / counts[name] for name in sums}, "exact": right / len(rows)}


@torch.no_grad()
def apart(model: nn.Module, start: nn.Module, rows: text.Rows) -> float:
    """Return the mean KL(start ‖ model) over the answers' tokens, in nats, in evaluation mode."""
    model.eval()
    start.eval()
    p = torch.log_softmax(start(input_ids=rows.ids).logits[:, :-1].double(), -1)
    q = torch.log_softmax(model(input_ids=rows.ids).logits[:, :-1].double(), -1)
    kept = rows.answers[:, 1:] != text.IGNORE
    return float((p.exp() * (p - q)).sum(-1)[kept].mean())
