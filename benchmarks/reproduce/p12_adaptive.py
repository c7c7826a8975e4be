"""P12: a controller finds a good dropout rate in one run, without a grid."""

from __future__ import annotations

from benchmarks.reproduce.lab import Split, accuracy, digits, mlp, split, train
from benchmarks.reproduce.shape import Check, Figures, Shape
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

from temperance import Dropout, GapFeedback, Recipe
from temperance.core.session import Session

GRID = (0.0, 0.2, 0.5, 0.7)


def _runs(seed: int) -> Figures:
    x, y = load_breast_cancer(return_X_y=True)
    cancer = split(StandardScaler().fit_transform(x), y, seed, 150, noise=0.15, held=100)
    found = _on("digits", digits(seed, 250, noise=0.15, held=150), seed, 64, 10)
    return {**found, **_on("cancer", cancer, seed, 30, 2)}


def _on(name: str, data: Split, seed: int, inputs: int, outputs: int) -> Figures:
    found: Figures = {}
    moved = 0.0
    for label, recipe in {
        **{f"p{p:g}": Recipe(Dropout(p)) if p else Recipe() for p in GRID},
        "adaptive": Recipe(Dropout(0.1), controller=GapFeedback()),
    }.items():
        session = train(
            recipe, mlp(seed, inputs, outputs), data, epochs=100, size=32, seed=seed, each=lambda s: _validate(s, data)
        )
        moved = session.strengths.get("dropout.p", moved)
        found[f"{name}_{label}"] = accuracy(session.finish(), data.test_x, data.test_y)
    found[f"{name}_final_p"] = moved
    return found


def _validate(session: Session, data: Split) -> None:
    if session.recipe.is_adaptive:
        session.validate(data.held)


def run(seed: int) -> Figures:
    found = _runs(seed)
    for name in ("digits", "cancer"):
        found[f"{name}_over_none"] = found[f"{name}_adaptive"] - found[f"{name}_p0"]
        found[f"{name}_over_best"] = found[f"{name}_adaptive"] - max(found[f"{name}_p{p:g}"] for p in GRID)
    return found


SHAPE = Shape(
    "P12",
    "Feedback from the generalization gap finds a dropout rate nearly as good as the best of a grid, in one run.",
    "our own claim, after Karras et al. (2020), arXiv:2006.06676, and Sohrabi et al. (2024), arXiv:2406.04558",
    "digits (250 training rows) and breast cancer (150), 15 % wrong labels, 150 and 100 held-out rows with as many "
    "wrong labels for the controller; MLP with two layers of 256, AdamW 1e-3, batch 32, 100 epochs; GapFeedback "
    "as it comes, from dropout 0.1",
    ("Dropout", "GapFeedback"),
    3,
    run,
    (
        Check("digits_over_best", "test accuracy on digits, adaptive dropout minus the best of four fixed rates", low=-0.03, techniques=("dropout",)),  # noqa: E501
        Check("digits_over_none", "test accuracy on digits, adaptive dropout minus none, 15 % wrong labels", low=0.05, techniques=("dropout",)),  # noqa: E501
        Check("cancer_over_best", "test accuracy on breast cancer, adaptive dropout minus the best of four fixed rates", low=-0.03, techniques=("dropout",)),  # noqa: E501
    ),
)  # fmt: skip
