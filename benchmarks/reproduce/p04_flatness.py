"""P4: SAM ends in flatter places, at no loss of accuracy."""

from __future__ import annotations

from benchmarks.reproduce.lab import accuracy, digits, log_loss, mlp, sgd, train
from benchmarks.reproduce.shape import Check, Figures, Shape

from temperance import SAM, Recipe
from temperance.core.batch import Batch
from temperance.core.session import Session
from temperance.signals.curvature import Curvature


def run(seed: int) -> Figures:
    data = digits(seed, 200)
    found: Figures = {}
    for name, recipe in {"plain": Recipe(), "sam": Recipe(SAM(0.05))}.items():
        session = train(recipe, mlp(seed), data, epochs=100, size=32, seed=seed, optimizer=sgd(0.1), cosine=True)
        model = session.finish()
        found[f"{name}_lambda"] = _curvature(session, Batch(data.x, data.y))
        found[f"{name}_accuracy"] = accuracy(model, data.test_x, data.test_y)
        found[f"{name}_nll"] = log_loss(model, data.test_x, data.test_y)
    found["lambda_ratio"] = found["sam_lambda"] / found["plain_lambda"]
    found["accuracy_gain"] = found["sam_accuracy"] - found["plain_accuracy"]
    found["nll_gain"] = found["plain_nll"] - found["sam_nll"]
    return found


def _curvature(session: Session, everything: Batch) -> float:
    """Return the largest eigenvalue of the Hessian over all training rows."""
    probe = session.probe()
    return Curvature(iterations=60).measure(probe.__class__(**{**vars(probe), "train": (everything,)}))["lambda_max"]


SHAPE = Shape(
    "P4",
    "SAM finds flatter minima than SGD (smaller largest eigenvalue of the Hessian) and is at least as accurate.",
    "Foret et al. (2021), arXiv:2010.01412",
    "digits, 200 training rows, MLP 64-256-256-10, SGD 0.1 with momentum 0.9, cosine, batch 32, 100 epochs, rho 0.05",
    ("SAM",),
    20,
    run,
    (
        Check("lambda_ratio", "largest eigenvalue of the Hessian with SAM over that without", high=0.5, techniques=("sam",)),  # noqa: E501
        Check("accuracy_gain", "test accuracy, SAM minus SGD, 200 training rows", low=-0.002, techniques=("sam",)),
    ),
)  # fmt: skip
