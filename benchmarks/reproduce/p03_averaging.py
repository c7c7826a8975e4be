"""P3: at a constant rate, averaged weights predict better than the last ones."""

from __future__ import annotations

from benchmarks.reproduce.lab import accuracy, digits, log_loss, mlp, sgd, train
from benchmarks.reproduce.shape import Check, Figures, Shape

from temperance import EMA, LAWA, SWA, Recipe


def run(seed: int) -> Figures:
    data = digits(seed, 300, noise=0.2)
    found: Figures = {}
    for name, recipe in {
        "last": Recipe(), "ema": Recipe(EMA(0.99)), "lawa": Recipe(LAWA(window=6)), "swa": Recipe(SWA()),
    }.items():  # fmt: skip
        session = train(recipe, mlp(seed), data, epochs=100, size=32, seed=seed, optimizer=sgd(0.05))
        model = session.finish()
        found[f"{name}_nll"] = log_loss(model, data.test_x, data.test_y)
        found[f"{name}_accuracy"] = accuracy(model, data.test_x, data.test_y)
    for name in ("ema", "lawa", "swa"):
        found[f"{name}_gain"] = found["last_nll"] - found[f"{name}_nll"]
    found["swa_over_ema"] = found["ema_nll"] - found["swa_nll"]
    found["swa_over_lawa"] = found["lawa_nll"] - found["swa_nll"]
    return found


_WORDS = "log loss of the last weights minus that of {}, constant rate, 20 % wrong labels"
SHAPE = Shape(
    "P3",
    "With a constant learning rate, averaged weights have a lower loss than the last ones, and a long plain average "
    "(SWA) the lowest.",
    "Izmailov et al. (2018), arXiv:1803.05407; Morales-Brotons et al. (2024), arXiv:2411.18704; "
    "Ajroldi et al. (2025), arXiv:2502.06761",
    "digits, 300 training rows with 20 % wrong labels, MLP 64-256-256-10, SGD 0.05 with momentum 0.9, batch 32, "
    "100 epochs; EMA 0.99, LAWA of 6 epochs, SWA of the last quarter",
    ("EMA", "LAWA", "SWA"),
    15,
    run,
    (
        Check("ema_gain", _WORDS.format("their moving average"), low=0.0, techniques=("ema",)),
        Check("lawa_gain", _WORDS.format("the mean of six checkpoints"), low=0.0, techniques=("lawa",)),
        Check("swa_gain", _WORDS.format("their mean over the last quarter"), low=0.0, techniques=("swa",)),
        Check("swa_over_ema", "log loss of EMA minus that of SWA", low=0.0),
        Check("swa_over_lawa", "log loss of LAWA minus that of SWA", low=0.0),
    ),
)
