"""P7: a small Jacobian makes a net robust at less than twice the time."""

from __future__ import annotations

from time import process_time

from benchmarks.reproduce.lab import accuracy, digits, losses, mlp, robust_accuracy, train
from benchmarks.reproduce.shape import Check, Figures, Shape

from temperance import JacobianPenalty, Recipe, price_recipe

EPS = 0.15


def run(seed: int) -> Figures:
    data = digits(seed, 300)
    found: Figures = {}
    recipes = {"plain": Recipe(), "jacobian": Recipe(JacobianPenalty(0.01))}
    for name, recipe in recipes.items():
        model = train(recipe, mlp(seed), data, epochs=60, size=32, seed=seed).finish()
        found[f"{name}_clean"] = accuracy(model, data.test_x, data.test_y)
        found[f"{name}_robust"] = robust_accuracy(model, data.test_x, data.test_y, EPS)
    batch = (data.x[:256], data.y[:256])
    price = price_recipe(recipes["jacobian"], mlp(seed), batch, loss=losses, steps=40, clock=process_time)[0]
    found["gain"] = found["jacobian_robust"] - found["plain_robust"]
    return {**found, "time_ratio": price.ratio}


SHAPE = Shape(
    "P7",
    "Punishing the input-output Jacobian makes a net far more robust at about twice the time.",
    "Hoffman, Roberts and Yaida (2019), arXiv:1908.02729",
    "digits, 300 training rows, MLP 64-256-256-10, AdamW 1e-3, batch 32, 60 epochs, weight 0.01, one projection; "
    "judged by PGD of 20 steps at eps 0.15; time at batch 256",
    ("JacobianPenalty",),
    3,
    run,
    (
        Check("jacobian_robust", "accuracy under a 20-step attack (eps 0.15) with the Jacobian penalty", low=0.35, techniques=("jacobian_penalty",)),  # noqa: E501
        Check("gain", "accuracy under attack, Jacobian penalty minus plain", low=0.0, techniques=("jacobian_penalty",)),
        Check("time_ratio", "time of a step with the Jacobian penalty over a plain one", high=2.2, techniques=("jacobian_penalty",)),  # noqa: E501
    ),
)  # fmt: skip
