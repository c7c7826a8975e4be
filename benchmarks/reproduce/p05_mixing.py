"""P5: RegMixup is better calibrated than mixup."""

from __future__ import annotations

from benchmarks.reproduce.lab import accuracy, calibration_error, digits, log_loss, mlp, train
from benchmarks.reproduce.shape import Check, Figures, Shape

from temperance import MixUp, Recipe, RegMixUp


def run(seed: int) -> Figures:
    data = digits(seed, 300, noise=0.1)
    found: Figures = {}
    for name, recipe in {
        "ce": Recipe(), "mixup": Recipe(MixUp(1.0)), "regmixup": Recipe(RegMixUp(1.0, 20.0)),
    }.items():  # fmt: skip
        model = train(recipe, mlp(seed), data, epochs=100, size=32, seed=seed).finish()
        found[f"{name}_nll"] = log_loss(model, data.test_x, data.test_y)
        found[f"{name}_ece"] = calibration_error(model, data.test_x, data.test_y)
        found[f"{name}_accuracy"] = accuracy(model, data.test_x, data.test_y)
    found["mixup_gain"] = found["ce_nll"] - found["mixup_nll"]
    found["regmixup_gain"] = found["ce_nll"] - found["regmixup_nll"]
    found["nll_over_mixup"] = found["mixup_nll"] - found["regmixup_nll"]
    found["ece_over_mixup"] = found["mixup_ece"] - found["regmixup_ece"]
    return found


_REG, _MIX = ("regmixup",), ("mixup",)
SHAPE = Shape(
    "P5",
    "RegMixup has a lower log loss and is better calibrated than mixup, which has a lower log loss than plain "
    "cross-entropy.",
    "Pinto et al. (2022), arXiv:2206.14502",
    "digits, 300 training rows with 10 % wrong labels, MLP 64-256-256-10, AdamW 1e-3, batch 32, 100 epochs; mixup with "
    "alpha 1, RegMixup with weight 1 and alpha 20",
    ("MixUp", "RegMixUp"),
    10,
    run,
    (
        Check("mixup_gain", "log loss, plain minus mixup, 10 % wrong labels", low=0.0, techniques=_MIX),
        Check("nll_over_mixup", "log loss, mixup minus RegMixup, 10 % wrong labels", low=0.0, techniques=_REG),
        Check("ece_over_mixup", "calibration error, mixup minus RegMixup, 10 % wrong labels", low=0.0, techniques=_REG),
    ),
)
