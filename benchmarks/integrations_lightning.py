"""What a recipe costs inside Lightning beside Lightning's own step with the same written by hand.

    python benchmarks/integrations_lightning.py [--rounds 15] [--steps 60] [--try]

Fits of both kinds alternate on one thread. A fit's time is the median over its steps, from the start of one batch to
the start of the next, in processor time; a cell is the median over rounds of (recipe / by hand), with quartiles.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import lightning
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, TensorDataset

from temperance import EMA, SAM, Dropout, MixUp, Recipe, WeightDecay
from temperance.integrations.lightning import RecipeCallback

RECORD = Path(__file__).parent / "records" / "integrations_lightning.json"
BAR = 1.05
ROWS, WIDTH, BATCH, LR = 128, 256, 128, 1e-3


class Net(lightning.LightningModule):
    """A classifier as users write it."""

    def __init__(self, drop: float = 0.0, decay: float = 0.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        middle: list[nn.Module] = [nn.Dropout(drop)] if drop else []
        self.net = nn.Sequential(
            nn.Linear(WIDTH, WIDTH), nn.ReLU(), *middle, nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 10)
        )
        self.decay = decay

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)  # type: ignore[no-any-return]

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        loss = F.cross_entropy(self(batch[0]), batch[1])
        self.log("train_loss", loss, prog_bar=True)
        return loss

    def configure_optimizers(self) -> Any:
        weights = [p for p in self.parameters() if p.dim() > 1]
        others = [p for p in self.parameters() if p.dim() < 2]
        groups = [{"params": weights, "weight_decay": self.decay}, {"params": others, "weight_decay": 0.0}]
        return torch.optim.AdamW(groups, lr=LR, weight_decay=0.0)


class ByHand(Net):
    """Mixup, dropout, decay and an average, written by hand."""

    def __init__(self) -> None:
        super().__init__(drop=0.1, decay=1e-2)
        self.average: list[Tensor] = []
        self.mix = torch.distributions.Beta(0.2, 0.2)

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        x, y = batch
        share, order = float(self.mix.sample()), torch.randperm(len(x))
        outputs = self(torch.lerp(x[order], x, share))
        loss = share * F.cross_entropy(outputs, y) + (1 - share) * F.cross_entropy(outputs, y[order])
        self.log("train_loss", loss, prog_bar=True)
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        now = [p.detach() for p in self.parameters()]
        if not self.average:
            self.average = [p.clone() for p in now]
        torch._foreach_lerp_(self.average, now, 0.01)


class ClimbByHand(Net):
    """SAM written by hand, which needs manual optimization."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch: Any, batch_idx: int) -> None:
        optimizer = self.optimizers()
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        self.log("train_loss", loss, prog_bar=True)
        optimizer.zero_grad()
        self.manual_backward(loss)
        weights = list(self.parameters())
        grads = [p.grad for p in weights]
        norm = torch.stack(torch._foreach_norm(grads)).norm()
        moves = torch._foreach_mul(grads, 0.05 / (norm + 1e-12))
        with torch.no_grad():
            torch._foreach_add_(weights, moves)
        optimizer.zero_grad()
        self.manual_backward(F.cross_entropy(self(x), y))
        with torch.no_grad():
            torch._foreach_sub_(weights, moves)
        optimizer.step()


class Clock(lightning.Callback):
    """Notes when each batch starts."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_train_batch_start(self, *_: Any) -> None:
        self.times.append(time.process_time())


COCKTAIL = Recipe(Dropout(0.1), MixUp(0.2), WeightDecay(1e-2), EMA(0.99))
CELLS: dict[str, tuple[Recipe, Any, Callable[[], Net], Callable[[], Net]]] = {
    "nothing": (Recipe(), F.cross_entropy, Net, Net),
    "nothing, training_step as it is": (Recipe(), None, Net, Net),
    "Dropout, MixUp, WeightDecay, EMA": (COCKTAIL, F.cross_entropy, lambda: Net(drop=0.1), ByHand),
    "SAM": (Recipe(SAM(0.05)), F.cross_entropy, Net, ClimbByHand),
}


def seconds(net: Net, steps: int, *callbacks: Any) -> float:
    """Return the median seconds of a step; the first ten warm up."""
    x = torch.randn(steps * BATCH, WIDTH)
    rows = TensorDataset(x, x[:, :10].argmax(1))
    clock = Clock()
    trainer = lightning.Trainer(
        max_epochs=1, callbacks=[clock, *callbacks], logger=False, enable_checkpointing=False, accelerator="cpu",
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(net, DataLoader(rows, BATCH))
    gaps = [b - a for a, b in zip(clock.times, clock.times[1:], strict=False)][10:]
    return statistics.median(gaps)


def measure(name: str, rounds: int, steps: int) -> dict[str, float]:
    recipe, loss, build, by_hand = CELLS[name]
    pairs = []
    for number in range(rounds):
        took = {}
        for kind in ("recipe", "hand") if number % 2 else ("hand", "recipe"):
            if kind == "hand":
                took[kind] = seconds(by_hand(), steps)
            else:
                took[kind] = seconds(build(), steps, RecipeCallback(recipe, loss=loss))
        pairs.append((took["recipe"], took["hand"]))
    low, ratio, high = statistics.quantiles((a / b for a, b in pairs), n=4)
    return {
        "recipe_ms": 1e3 * statistics.median(a for a, _ in pairs),
        "hand_ms": 1e3 * statistics.median(b for _, b in pairs),
        "ratio": ratio, "low": low, "high": high, "rounds": rounds, "steps": steps,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--try", dest="trial", action="store_true", help="write no record")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    record: dict[str, Any] = {
        "command": f"python benchmarks/integrations_lightning.py --rounds {chosen.rounds} --steps {chosen.steps}",
        "bar": BAR, "torch": torch.__version__, "lightning": lightning.__version__,
        "python": platform.python_version(), "machine": platform.machine(), "cells": {},
    }  # fmt: skip
    for name in CELLS:
        row = measure(name, chosen.rounds, chosen.steps)
        record["cells"][name] = row
        print(f"{name:40} {row['recipe_ms']:.3f} ms  {row['hand_ms']:.3f} ms  × {row['ratio']:.3f}", flush=True)
    if not chosen.trial:
        RECORD.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
