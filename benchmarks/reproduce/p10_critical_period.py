"""P10: the first half of the training is when augmentation and decay do their work."""

from __future__ import annotations

from typing import Any

import torch
from benchmarks.reproduce.lab import accuracy, digits, sgd, train
from benchmarks.reproduce.shape import Check, Figures, Shape
from torch import nn

from temperance import L2, RandomCrop, Recipe
from temperance.control.schedule import Early, Late

WHEN: dict[str, Any] = {"always": None, "first": Early(0.5), "last": Late(0.5)}


def run(seed: int) -> Figures:
    data = digits(seed, 150, images=True)

    def score(recipe: Recipe) -> float:
        model = train(recipe, _net(seed), data, epochs=80, size=32, seed=seed, optimizer=sgd(0.05)).finish()
        return accuracy(model, data.test_x, data.test_y)

    never = score(Recipe())
    found: Figures = {"never": never}
    for name, one in {"crop": RandomCrop(0.125), "decay": L2(3e-2)}.items():
        own = {when: score(Recipe(one, controller=controller)) for when, controller in WHEN.items()}
        found |= {f"{name}_{when}": value for when, value in own.items()}
        found[f"{name}_first_minus_always"] = own["first"] - own["always"]
        found[f"{name}_first_minus_last"] = own["first"] - own["last"]
        found[f"{name}_worst_minus_never"] = min(own.values()) - never
        found[f"{name}_gain"] = own["always"] - never
    return found


def _net(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Flatten(), nn.Linear(32 * 16, 10),
    )  # fmt: skip


def _checks(name: str, words: str, technique: str) -> tuple[Check, ...]:
    on = (technique,)
    return (
        Check(f"{name}_first_minus_always", f"test accuracy, {words} in the first half minus always", low=-0.005, techniques=on),  # noqa: E501
        Check(f"{name}_first_minus_last", f"test accuracy, {words} in the first half minus in the last half", low=0.005, techniques=on),  # noqa: E501
        Check(f"{name}_worst_minus_never", f"test accuracy, worst of the three uses of {words} minus never", low=0.0, techniques=on),  # noqa: E501
    )  # fmt: skip


SHAPE = Shape(
    "P10",
    "Augmentation and weight decay act in the early phase: the first half of the training gives all of the benefit, "
    "the last half little.",
    "Golatkar, Achille and Soatto (2019), arXiv:1905.13277",
    "digits, 150 training rows, convnet of two layers with BatchNorm, SGD 0.05 with momentum 0.9, batch 32, 80 epochs; "
    "shifts by one pixel, decay 3e-2 inside the loss",
    ("RandomCrop", "L2"),
    12,
    run,
    (*_checks("crop", "shifts", "random_crop"), *_checks("decay", "decay", "l2")),
)
