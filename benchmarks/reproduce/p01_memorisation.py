"""P1: cross-entropy learns wrong labels by heart; ELR and GCE do not."""

from __future__ import annotations

from benchmarks.reproduce.lab import Split, accuracy, digits, mlp, predict, train
from benchmarks.reproduce.shape import Check, Figures, Shape

from temperance import EarlyLearning, GeneralizedCrossEntropy, Recipe


def run(seed: int) -> Figures:
    data = digits(seed, 1000, noise=0.4)
    recipes = {"ce": Recipe(), "elr": Recipe(EarlyLearning(3.0, 0.7)), "gce": Recipe(GeneralizedCrossEntropy(0.7))}
    found: Figures = {}
    for name, recipe in recipes.items():
        found |= {f"{name}_{key}": value for key, value in _course(recipe, data, seed).items()}
    found["ce_fall"] = found["ce_best"] - found["ce_last"]
    found["elr_gain"] = found["elr_last"] - found["ce_last"]
    found["gce_gain"] = found["gce_last"] - found["ce_last"]
    return found


def _course(recipe: Recipe, data: Split, seed: int) -> Figures:
    model, course = mlp(seed), [0.0]

    def each(_: object) -> None:
        course.append(accuracy(model, data.test_x, data.test_y))

    train(recipe, model, data, epochs=120, size=64, seed=seed, each=each)
    wrong = data.y != data.clean
    by_heart = predict(model, data.x).argmax(1)[wrong] == data.y[wrong]
    return {"last": course[-1], "best": max(course), "memorised": float(by_heart.double().mean())}


SHAPE = Shape(
    "P1",
    "With wrong labels, cross-entropy first learns the right answers and then the wrong labels by heart; ELR and GCE "
    "hold on to the right answers.",
    "Liu et al. (2020), arXiv:2007.00151; Zhang and Sabuncu (2018), arXiv:1805.07836",
    "digits, 1000 training rows with 40 % wrong labels, MLP 64-256-256-10, AdamW 1e-3, batch 64, 120 epochs",
    ("EarlyLearning", "GeneralizedCrossEntropy"),
    5,
    run,
    (
        Check("ce_fall", "test accuracy that cross-entropy loses from its best epoch to its last", low=0.15),
        Check("elr_gain", "test accuracy at the end, ELR minus cross-entropy, 40 % wrong labels", low=0.10, techniques=("early_learning",)),  # noqa: E501
        Check("gce_gain", "test accuracy at the end, GCE minus cross-entropy, 40 % wrong labels", low=0.10, techniques=("generalized_cross_entropy",)),  # noqa: E501
        Check("ce_memorised", "share of wrong labels that cross-entropy learns by heart", low=0.95),
        Check("elr_memorised", "share of wrong labels that ELR learns by heart", high=0.6, techniques=("early_learning",)),  # noqa: E501
    ),
)  # fmt: skip
