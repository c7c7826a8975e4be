"""P6: adversarial training buys robustness for accuracy; AWP shrinks its robust gap."""

from __future__ import annotations

from typing import Any

from benchmarks.reproduce.lab import accuracy, digits, mlp, robust_accuracy, train
from benchmarks.reproduce.shape import Check, Figures, Shape

from temperance import AWP, TRADES, FGSMTraining, PGDTraining, Recipe

EPS = 0.15
BOX: dict[str, Any] = {"low": 0.0, "high": 1.0}


def run(seed: int) -> Figures:
    data = digits(seed, 300)
    found: Figures = {}
    for name, recipe in {
        "plain": Recipe(),
        "fgsm": Recipe(FGSMTraining(EPS, probe_every=0, **BOX)),
        "pgd": Recipe(PGDTraining(EPS, **BOX)),
        "trades": Recipe(TRADES(6.0, EPS, **BOX)),
        "awp": Recipe(PGDTraining(EPS, **BOX), AWP(0.01)),
    }.items():
        model = train(recipe, mlp(seed), data, epochs=60, size=32, seed=seed).finish()
        found[f"{name}_clean"] = accuracy(model, data.test_x, data.test_y)
        found[f"{name}_robust"] = robust_accuracy(model, data.test_x, data.test_y, EPS)
        found[f"{name}_gap"] = robust_accuracy(model, data.x, data.y, EPS) - found[f"{name}_robust"]
    return {
        **found,
        "pgd_gain": found["pgd_robust"] - found["plain_robust"],
        "pgd_over_fgsm": found["pgd_robust"] - found["fgsm_robust"],
        "trades_over_pgd": found["trades_robust"] - found["pgd_robust"],
        "trades_clean_change": found["trades_clean"] - found["pgd_clean"],
        "awp_gap_change": found["awp_gap"] - found["pgd_gap"],
    }


SHAPE = Shape(
    "P6",
    "Adversarial training makes a net robust where a plain one is not; TRADES is more robust than PGD training at less "
    "clean accuracy; AWP shrinks the gap between training and test robustness.",
    "Zhang et al. (2019), arXiv:1901.08573; Wu, Xia and Wang (2020), arXiv:2004.05884; Wong, Rice and Kolter (2020), "
    "arXiv:2001.03994",
    "digits, 300 training rows, MLP 64-256-256-10, AdamW 1e-3, batch 32, 60 epochs; eps 0.15 of the range, box [0, 1]; "
    "PGD of 7 steps, TRADES beta 6 with 10 steps, AWP gamma 0.01 on PGD; judged by PGD of 20 steps",
    ("FGSMTraining", "PGDTraining", "TRADES", "AWP"),
    8,
    run,
    (
        Check("plain_robust", "accuracy of a plain net under a 20-step attack, eps 0.15", high=0.25),
        Check("pgd_gain", "accuracy under attack, PGD training minus plain", low=0.0, techniques=("pgd_training",)),
        Check("pgd_over_fgsm", "accuracy under attack, PGD minus FGSM training", low=0.0, techniques=("pgd_training", "fgsm_training")),  # noqa: E501
        Check("trades_over_pgd", "accuracy under attack, TRADES minus PGD training", low=0.0, techniques=("trades",)),
        Check("trades_clean_change", "accuracy on clean rows, TRADES minus PGD training", high=0.0, techniques=("trades",)),  # noqa: E501
        Check("awp_gap_change", "gap between training and test accuracy under attack, PGD with AWP minus without", high=0.0, techniques=("awp",)),  # noqa: E501
    ),
)  # fmt: skip
