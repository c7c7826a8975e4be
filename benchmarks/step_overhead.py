"""What a step through a session costs beside the same technique written by hand in a plain loop.

    python benchmarks/step_overhead.py [--fresh] [--blocks 150] [--only mlp/dropout]

Both loops alternate in short blocks on one thread; a cell is the median over blocks of (session time / hand time), in
processor time, so a busy machine disturbs little. The record is written after each cell and what it holds is skipped.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from temperance import EMA, SAM, Dropout, GradientClipping, LabelSmoothing, MixUp, Recipe, WeightDecay

RECORD = Path(__file__).parent / "records" / "step_overhead.json"
BAR = 1.05
LR = 1e-3
Step = Callable[[], None]


def mlp(dropout: bool) -> nn.Module:
    drop = [nn.Dropout(0.1)] if dropout else []
    return nn.Sequential(
        nn.Linear(64, 256), nn.ReLU(), *drop, nn.Linear(256, 256), nn.ReLU(), *copy.deepcopy(drop), nn.Linear(256, 10)
    )


def convnet(dropout: bool) -> nn.Module:
    drop = [nn.Dropout(0.1)] if dropout else []
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), *drop,
        nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.BatchNorm2d(32), nn.ReLU(), *copy.deepcopy(drop),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10),
    )  # fmt: skip


NETS = {"mlp": (mlp, (256, 64)), "convnet": (convnet, (64, 1, 16, 16))}
RECIPES = {
    "nothing": Recipe(),
    "dropout": Recipe(Dropout(0.1)),
    "mixup": Recipe(MixUp(0.2)),
    "sam": Recipe(SAM(0.05)),
    "decay": Recipe(WeightDecay(1e-2, policy="all")),
    "ema": Recipe(EMA(0.99)),
    "label_smoothing": Recipe(LabelSmoothing(0.1)),
    "clipping": Recipe(GradientClipping(1.0)),
    "five": Recipe(Dropout(0.1), MixUp(0.2), SAM(0.05), WeightDecay(1e-2, policy="all"), EMA(0.99)),
}


class HandSAM:
    """Two passes as they are usually written: copy the weights, climb, come back, step."""

    def __init__(self, params: list[nn.Parameter], rho: float) -> None:
        self.params, self.rho, self.old = params, rho, {}

    @torch.no_grad()
    def first(self) -> None:
        norm = torch.norm(torch.stack([p.grad.norm(p=2) for p in self.params]), p=2)
        scale = self.rho / (norm + 1e-12)
        for p in self.params:
            self.old[p] = p.data.clone()
            p.add_(p.grad * scale)

    @torch.no_grad()
    def back(self) -> None:
        for p in self.params:
            p.data = self.old[p]


def by_hand(name: str, net: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Step:
    """Write the loop that a user would write for this technique."""
    on = {"dropout", "mixup", "sam", "decay", "ema"} if name == "five" else {name}
    params = list(net.parameters())
    optimizer = torch.optim.AdamW(params, lr=LR, weight_decay=1e-2 if "decay" in on else 0.0)
    smoothing = 0.1 if "label_smoothing" in on else 0.0
    average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.99)) if "ema" in on else None
    sam = HandSAM(params, 0.05) if "sam" in on else None
    rng = np.random.default_rng(0)

    def step() -> None:
        mixed = "mixup" in on
        if mixed:
            lam = float(rng.beta(0.2, 0.2))
            order = torch.randperm(len(x))
            inputs, other = lam * x + (1 - lam) * x[order], y[order]
        else:
            inputs = x

        def loss() -> torch.Tensor:
            out = net(inputs)
            if mixed:
                return lam * F.cross_entropy(out, y) + (1 - lam) * F.cross_entropy(out, other)
            return F.cross_entropy(out, y, label_smoothing=smoothing)

        optimizer.zero_grad()
        loss().backward()
        if sam is not None:
            sam.first()
            optimizer.zero_grad()
            loss().backward()
            sam.back()
        if "clipping" in on:
            nn.utils.clip_grad_norm_(params, 1.0)
        optimizer.step()
        if average is not None:
            average.update_parameters(net)

    return step


def through_session(name: str, net: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Step:
    optimizer = torch.optim.AdamW(net.parameters(), lr=LR, weight_decay=0.0)
    session = RECIPES[name].attach(net, optimizer, loss=F.cross_entropy, epochs=10, steps_per_epoch=100)
    batch = (x, y)
    return lambda: (session.step(batch), None)[1]


def measure(net: str, name: str, blocks: int, steps: int = 4) -> dict[str, float]:
    build, shape = NETS[net]
    torch.manual_seed(0)
    model = build("dropout" in (name,) or name == "five")
    x, y = torch.randn(*shape), torch.randint(0, 10, (shape[0],))
    ours = through_session(name, copy.deepcopy(model), x, y)
    hand = by_hand(name, copy.deepcopy(model), x, y)
    for one in (ours, hand) * 10:
        one()
    pairs = []
    for block in range(blocks):
        took = {}
        for one in (ours, hand) if block % 2 else (hand, ours):
            started = time.process_time()
            for _ in range(steps):
                one()
            took[one] = (time.process_time() - started) / steps
        pairs.append((took[ours], took[hand]))
    ratios = sorted(a / b for a, b in pairs)
    return {
        "session_ms": 1e3 * statistics.median(a for a, _ in pairs),
        "hand_ms": 1e3 * statistics.median(b for _, b in pairs),
        "ratio": statistics.median(ratios),
        "low": ratios[len(ratios) // 4],
        "high": ratios[3 * len(ratios) // 4],
        "blocks": blocks,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="forget the record")
    parser.add_argument("--blocks", type=int, default=150)
    parser.add_argument("--only", default="", help="one cell, e.g. mlp/dropout; not recorded")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    kept = json.loads(RECORD.read_text()) if RECORD.exists() and not chosen.fresh else {"cells": {}}
    kept |= {"torch": torch.__version__, "python": platform.python_version(), "machine": platform.machine(), "bar": BAR}
    for net in NETS:
        for name in RECIPES:
            cell = f"{net}/{name}"
            if (cell in kept["cells"] and not chosen.only) or not cell.startswith(chosen.only):
                continue
            result = measure(net, name, chosen.blocks)
            print(
                f"{cell:25s} {result['ratio']:.3f} × ({result['low']:.3f} to {result['high']:.3f}, quartiles)",
                flush=True,
            )
            if not chosen.only:
                kept["cells"][cell] = result
                write(kept)


def write(row: dict[str, object]) -> None:
    waiting = RECORD.with_suffix(".tmp")
    waiting.write_text(json.dumps(row, indent=1) + "\n")
    os.replace(waiting, RECORD)


if __name__ == "__main__":
    main()
