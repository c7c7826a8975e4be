"""What each technique costs: step, memory and prediction beside the plain step, on an MLP 512 wide at batch 256.

    python benchmarks/prices.py [--fresh] [--steps 20] [--bar-steps 160] [--bars-only]

Plain and priced steps alternate on one thread; a figure is the median of (step with it) / (plain step) over the pairs,
with quartiles, in processor time, so a busy machine disturbs little. Techniques that cannot act on that net are priced
on the nearest one they can act on, which is named. The three bars (SAM 2.1, EMA 1.05, mixup 1.1) rest on more pairs.
The record is written after each technique and what it holds is skipped.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

import temperance
from temperance import EMA, SAM, MixUp, Recipe, price_recipe
from temperance.cli.catalogue import catalogue
from temperance.core.batch import Batch

RECORD = Path(__file__).parent / "records" / "prices.json"
WIDE, ROWS = 512, 256
BARS = {"SAM": (SAM(0.05), 2.1), "EMA": (EMA(0.99), 1.05), "MixUp": (MixUp(0.2), 1.1)}
PLAIN = f"MLP 64-{WIDE}-{WIDE}-10, batch {ROWS}, AdamW"


class Branch(nn.Module):
    """A residual branch that stochastic depth can drop."""

    def __init__(self) -> None:
        super().__init__()
        self.branch = nn.Sequential(nn.Linear(WIDE, WIDE), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x)  # type: ignore[no-any-return]


class Adapted(nn.Module):
    """A linear layer with a low-rank adapter."""

    def __init__(self) -> None:
        super().__init__()
        self.base, self.lora_A, self.lora_B = nn.Linear(WIDE, WIDE), nn.Linear(WIDE, 8), nn.Linear(8, WIDE)

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + self.lora_B(self.lora_A(x))  # type: ignore[no-any-return]


def mlp(*middle: nn.Module, outputs: int = 10) -> nn.Module:
    inner = middle or (nn.Linear(WIDE, WIDE),)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, WIDE), nn.ReLU(), *inner, nn.ReLU(), nn.Linear(WIDE, outputs))


def convnet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(64 * 16, 10),
    )  # fmt: skip


NORMED = (lambda: mlp(nn.Linear(WIDE, WIDE), nn.BatchNorm1d(WIDE)), "the same with BatchNorm")
# Techniques that need something the plain net and its batch of 8 × 8 images do not have.
NETS: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "NormSAM": NORMED,
    "GhostBatchNorm": NORMED,
    "CMixUp": (lambda: mlp(outputs=1), "the same with one output, squared error"),
    "TabularCorruption": (mlp, "the same on a table of 64 columns"),
    "DropBlock": (convnet, "convnet of 32 and 64 channels on 8 × 8 images"),
    "StochasticDepth": (lambda: mlp(Branch()), "the same with a residual branch"),
    "LoRADropout": (lambda: mlp(Adapted()), "the same with an adapter of rank 8"),
}
MADE: dict[str, dict[str, Any]] = {"AdaptiveAugmentation": {"p": 0.5}, "StochasticDepth": {"at": "*.branch"}}


def entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(outputs, targets, reduction="none")


def squared(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs.squeeze(1) - targets) ** 2


def measure(name: str, one: Any, steps: int) -> dict[str, Any]:
    """Return the price of one technique on its net."""
    build, words = NETS.get(name, (mlp, ""))
    torch.manual_seed(0)
    x, y = torch.rand(ROWS, 1, 8, 8), torch.randint(0, 10, (ROWS,))
    loss = entropy
    if name == "CMixUp":
        y, loss = torch.randn(ROWS), squared
    if name == "TabularCorruption":
        x = x.flatten(1)
    batch = Batch(x, y, index=torch.arange(ROWS))
    found = price_recipe(Recipe(one), build(), batch, loss=loss, steps=steps, clock=time.process_time)[0]
    return {**found.to_dict(), "technique": repr(one), "net": words or "the plain one"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fresh", action="store_true", help="forget the record")
    parser.add_argument("--steps", type=int, default=20, help="pairs of steps per technique")
    parser.add_argument("--bar-steps", type=int, default=160, help="pairs of steps per bar")
    parser.add_argument("--bars-only", action="store_true")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    record = json.loads(RECORD.read_text()) if RECORD.exists() and not chosen.fresh else {"bars": {}, "techniques": {}}
    for name, (one, bar) in BARS.items():
        if name not in record["bars"]:
            row = measure(name, one, chosen.bar_steps)
            record["bars"][name] = {**row, "bar": bar, "holds": row["ratio"] <= bar}
            write(record)
        row = record["bars"][name]
        print(f"{name:28s} {row['ratio']:.3f} × ({row['ratio_low']:.3f} to {row['ratio_high']:.3f}), bar {bar}")
    for name in () if chosen.bars_only else names():
        address = next(iter(Recipe(made(name)).by_address))
        if address not in record["techniques"]:
            try:
                same = record["bars"].get(name, {}).get("technique") == repr(made(name))
                record["techniques"][address] = (
                    record["bars"][name] if same else measure(name, made(name), chosen.steps)
                )
            except temperance.TemperanceError as fault:
                record["techniques"][address] = {"name": address, "why_not": str(fault)}
            write(record)
            row = record["techniques"][address]
            print(f"{name:28s} {row['ratio']:.3f} ×" if "ratio" in row else f"{name:28s} {row['why_not']}", flush=True)


def names() -> list[str]:
    return [row["name"] for row in catalogue() if row["module"].startswith("temperance.")]


def made(name: str) -> Any:
    return getattr(temperance, name)(**MADE.get(name, {}))


def write(record: dict[str, Any]) -> None:
    """Write the record in one piece."""
    record |= {
        "command": "python benchmarks/prices.py", "plain": PLAIN, "torch": torch.__version__,
        "python": platform.python_version(), "machine": f"{platform.machine()}, {os.cpu_count()} cores, 1 thread used",
    }  # fmt: skip
    waiting = RECORD.with_suffix(".tmp")
    waiting.write_text(json.dumps(record, indent=1) + "\n")
    os.replace(waiting, RECORD)


if __name__ == "__main__":
    main()
