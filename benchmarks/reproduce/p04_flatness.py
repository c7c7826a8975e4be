"""P4: SAM ends in flatter places, at no loss of accuracy."""

from __future__ import annotations

from benchmarks.reproduce.lab import accuracy, digits, log_loss, mlp, sgd, train
from benchmarks.reproduce.shape import Check, Figures, Shape

from temperance import ASAM, GSAM, SAM, FriendlySAM, GatedSAM, LookSAM, Recipe
from temperance.core.batch import Batch
from temperance.core.session import Session
from temperance.signals.curvature import Curvature

RECIPES = {
    "plain": Recipe(), "sam": Recipe(SAM(0.05)), "asam": Recipe(ASAM()), "gsam": Recipe(GSAM()),
    "friendly_sam": Recipe(FriendlySAM()), "gated_sam": Recipe(GatedSAM()), "look_sam": Recipe(LookSAM()),
}  # fmt: skip


def run(seed: int) -> Figures:
    data = digits(seed, 200)
    found: Figures = {}
    for name, recipe in RECIPES.items():
        session = train(recipe, mlp(seed), data, epochs=100, size=32, seed=seed, optimizer=sgd(0.1), cosine=True)
        model = session.finish()
        found[f"{name}_lambda"] = _curvature(session, Batch(data.x, data.y))
        found[f"{name}_accuracy"] = accuracy(model, data.test_x, data.test_y)
        found[f"{name}_nll"] = log_loss(model, data.test_x, data.test_y)
    for name in RECIPES:
        found[f"{name}_ratio"] = found[f"{name}_lambda"] / found["plain_lambda"]
    found["lambda_ratio"] = found["sam_ratio"]
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
    "digits, 200 training rows, MLP 64-256-256-10, SGD 0.1 with momentum 0.9, cosine, batch 32, 100 epochs; SAM "
    "with rho 0.05, the others at their defaults",
    ("SAM", "ASAM", "GSAM", "FriendlySAM", "GatedSAM", "LookSAM"),
    20,
    run,
    (
        Check("lambda_ratio", "largest eigenvalue of the Hessian with SAM over that without", high=0.5, techniques=("sam",)),  # noqa: E501
        Check("accuracy_gain", "test accuracy, SAM minus SGD, 200 training rows", low=-0.002, techniques=("sam",)),
        *(
            Check(f"{name}_ratio", f"largest eigenvalue of the Hessian with {words} over that without", high=1.0, techniques=(name,), beside=True)  # noqa: E501
            for name, words in {"asam": "ASAM", "gsam": "GSAM", "friendly_sam": "FriendlySAM", "gated_sam": "GatedSAM", "look_sam": "LookSAM"}.items()  # noqa: E501
        ),
    ),
)  # fmt: skip
