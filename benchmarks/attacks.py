"""What the attacks are worth: robust accuracy and time beside AutoAttack, and whether broken slopes are noticed.

    python benchmarks/attacks.py --reference DIR      # a checkout of AutoAttack, never part of this repository
    python benchmarks/attacks.py                      # without the reference
    python benchmarks/attacks.py --masking            # only models with broken slopes beside the sound ones
    python benchmarks/attacks.py --seeds 0,1 --models plain,adversarial

Small convolutional nets on scikit-learn's digits (8 × 8, numbers from 0 to 1), one trained plainly, one on the worst
points of seven steps within 0.1, one by TRADES with the package's own technique; 400 test rows, Linf 0.1. Reference:
AutoAttack (standard), https://github.com/fra31/auto-attack, MIT, run as it is. Times are CPU seconds of one thread.
Five nets whose slopes are broken on purpose go through ``masking`` beside the sound ones. Records:
``records/attacks.json`` and, with ``--masking``, ``records/attacks_masking.json``.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional

from temperance.evaluation.adversarial.active import active_test
from temperance.evaluation.adversarial.ball import L2, Ball, Linf
from temperance.evaluation.adversarial.masking import masking
from temperance.evaluation.adversarial.tiers import attack
from temperance.evaluation.adversarial.victim import Victim

RECORD = Path(__file__).parent / "records" / "attacks.json"
MASKING = RECORD.with_name("attacks_masking.json")
EPS, TEST = 0.1, 400


def data(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return training and test rows."""
    found = load_digits()
    order = np.random.default_rng(seed).permutation(len(found.target))
    x = torch.tensor(found.images[order] / 16, dtype=torch.float32)[:, None]
    y = torch.tensor(found.target[order])
    return x[TEST:], y[TEST:], x[:TEST], y[:TEST]


def net() -> nn.Sequential:
    """Return a net of two convolutions."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 16, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip


def worst(model: nn.Module, x: Tensor, y: Tensor, steps: int = 7) -> Tensor:
    """Return rows moved within EPS by projected steps."""
    point = (x + EPS * (2 * torch.rand_like(x) - 1)).clamp(0, 1)
    for _ in range(steps):
        point.requires_grad_()
        (slope,) = torch.autograd.grad(functional.cross_entropy(model(point), y, reduction="sum"), point)
        point = (x + (point.detach() + EPS / 4 * slope.sign() - x).clamp(-EPS, EPS)).clamp(0, 1)
    return point.detach()


def trained(kind: str, x: Tensor, y: Tensor, seed: int) -> nn.Sequential:
    """Train a net: ``plain``, ``adversarial`` or ``trades``."""
    torch.manual_seed(seed)
    model, epochs = net(), 20
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-4)
    recipe = None
    if kind == "trades":
        from temperance.core.recipe import Recipe
        from temperance.regularizers import TRADES

        recipe = Recipe(TRADES(beta=6.0, eps=EPS, steps=7, low=0.0, high=1.0))
        session = recipe.attach(model, optimizer, loss=functional.cross_entropy, epochs=epochs)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(64):
            inputs, targets = x[rows], y[rows]
            if recipe is not None:
                session.step((inputs, targets))
                continue
            inputs = worst(model, inputs, targets) if kind == "adversarial" else inputs
            loss = functional.cross_entropy(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    if recipe is not None:
        session.finish()
    return model.eval().requires_grad_(False)


class Quantized(torch.autograd.Function):
    """Round to 16 levels; the slope is 0, as rounding has none."""

    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:
        return (x * 15).round() / 15

    @staticmethod
    def backward(_: Any, slope: Tensor) -> Tensor:
        return torch.zeros_like(slope)


def purified(model: nn.Module, x: Tensor) -> Tensor:
    """Answer after three steps that make the answer surer: the model differentiates itself while it answers."""
    point = x.detach().clone()
    for _ in range(3):
        point.requires_grad_()
        with torch.enable_grad():
            z = model(point)
            (slope,) = torch.autograd.grad(functional.cross_entropy(z, z.argmax(dim=1), reduction="sum"), point)
        point = (point.detach() - 0.05 * slope.sign()).clamp(0, 1)
    return model(point.detach() + (x - x.detach()))


def stepped(model: nn.Sequential, x: Tensor) -> Tensor:
    """Round what enters the last layer to halves: steps without slopes inside the net."""
    return model[-1](torch.floor(2 * torch.relu(model[:-2](x))) / 2)


def fixtures(model: nn.Sequential) -> dict[str, Any]:
    """Return five models whose slopes are broken, by name."""
    return {
        "scores × 1000": lambda x: model(x) * 1000,
        "inputs rounded to 16 levels": lambda x: model(Quantized.apply(x)),
        "noise of 0.15 on the inputs": lambda x: model(x + 0.15 * torch.randn_like(x)),
        "slopes inside": lambda x: purified(model, x),
        "hidden values rounded to halves": lambda x: stepped(model, x),
    }


def official(folder: Path, model: Any, x: Tensor, y: Tensor, ball: Ball) -> tuple[float, float]:
    """Run AutoAttack (standard) from a checkout and return robust accuracy and CPU seconds."""
    sys.path.insert(0, str(folder))
    from autoattack import AutoAttack

    begun = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        made = AutoAttack(model, norm=ball.name, eps=ball.eps, version="standard", seed=0, verbose=False, device="cpu")
        points = made.run_standard_evaluation(x, y, bs=len(x))
    seconds = time.process_time() - begun
    with torch.no_grad():
        return float((model(points).argmax(dim=1) == y).double().mean()), seconds


def compared(model: Any, x: Tensor, y: Tensor, reference: Path | None, ball: Ball) -> dict[str, Any]:
    """Return our tiers and the reference within one budget."""
    row: dict[str, Any] = {"norm": ball.name, "eps": ball.eps}
    for tier in ("quick", "standard"):
        begun = time.process_time()
        found = attack(Victim(model, 0.0, 1.0), x, y, ball, tier=tier, seed=0)
        row[tier] = {"robust": found.accuracy, "cpu_s": round(time.process_time() - begun, 2), "after": {}}
        left = int(found.right.sum())
        for one in found.attacks:
            left -= one.broken
            row[tier]["after"][one.name] = left / len(x)
    row["clean"] = float(found.right.double().mean())
    if reference is not None:
        robust, seconds = official(reference, model, x, y, ball)
        row["autoattack"] = {"robust": robust, "cpu_s": round(seconds, 2)}
        row["points_above"] = round(100 * (row["standard"]["robust"] - robust), 3)
        row["share_of_time"] = round(row["standard"]["cpu_s"] / seconds, 4)
    print(json.dumps(row), flush=True)
    return row


def checked(models: dict[str, nn.Sequential], x: Tensor, y: Tensor, seed: int) -> dict[str, Any]:
    """Return the signs that ``masking`` shows on sound and broken models, and the active test of each."""
    every: dict[str, Any] = {**models, **fixtures(models["plain"])}
    out: dict[str, Any] = {}
    for name, model in every.items():
        torch.manual_seed(seed)
        begun = time.process_time()
        found = masking(Victim(model, 0.0, 1.0), x[:200], y[:200], Linf(EPS), seed=seed)
        seconds = time.process_time() - begun
        base = models.get(name, models["plain"])
        before = {"inputs rounded to 16 levels": Quantized.apply}.get(name, lambda p: p)
        active = active_test(
            Victim(model, 0.0, 1.0), lambda p, b=base, f=before: b[:-1](f(p)), x[:50], Linf(EPS), seed=seed
        )
        out[name] = {
            "trustworthy": found.trustworthy,
            "signs": [sign.name for sign in found.shown],
            "values": {sign.name: round(sign.value, 4) for sign in found.signs},
            "accuracies": {key: round(value, 4) for key, value in found.accuracies.items()},
            "cpu_s": round(seconds, 2),
            "active": active.to_dict(),
        }
        print(name, out[name]["trustworthy"], out[name]["signs"], out[name]["active"], out[name]["cpu_s"], flush=True)
    return out


def main() -> None:
    """Measure and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--models", default="plain,adversarial,trades")
    parser.add_argument("--length", action="store_true", help="L2 0.5 on the adversarially trained net too")
    parser.add_argument("--masking", action="store_true", help="only the models with broken slopes")
    given = parser.parse_args()
    torch.set_num_threads(1)
    wanted = given.models.split(",")
    options = (
        " --masking" * given.masking + " --length" * given.length + " --reference DIR" * (given.reference is not None)
    )
    record: dict[str, Any] = {
        "command": f"python benchmarks/attacks.py --seeds {given.seeds} --models {given.models}{options}",
        "load": [round(one, 2) for one in os.getloadavg()],
        "versions": {n: version(n) for n in ("torch", "numpy", "scikit-learn")} | {"python": platform.python_version()},
        "rows": TEST,
        "runs": [],
    }
    for seed in map(int, given.seeds.split(",")):
        train_x, train_y, x, y = data(seed)
        run: dict[str, Any] = {"seed": seed, "compared": {}}
        record["runs"].append(run)
        models = {}
        for kind in wanted:
            models[kind] = trained(kind, train_x, train_y, seed)
            if not given.masking:
                run["compared"][kind] = [compared(models[kind], x, y, given.reference, Linf(EPS))]
                written(record, given.masking)
        if given.masking:
            run["checked"] = checked(models, x, y, seed)
            written(record, given.masking)
        elif given.length and "adversarial" in models:
            run["compared"]["adversarial"].append(compared(models["adversarial"], x, y, given.reference, L2(0.5)))
            written(record, given.masking)


def written(record: dict[str, Any], masking_only: bool) -> None:
    """Write what is known so far."""
    place = MASKING if masking_only else RECORD
    place.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
