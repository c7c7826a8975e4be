"""By hand, and against figures of other packages on the same made-up logits (seed 0)."""

import numpy as np
import pytest

from temperance.evaluation.base import outcome
from temperance.evaluation.binning import equal_width
from temperance.evaluation.calibration_errors import bin_gaps, classwise_ece, debiased_rmsce, ece, mce, rmsce
from temperance.evaluation.metrics.registry import metric
from temperance.records.schema import Target

CONFIDENCE = np.array([0.95, 0.85, 0.8, 0.65, 0.55])
CORRECT = np.array([1.0, 1.0, 0.0, 1.0, 0.0])


def test_toy_by_hand() -> None:
    assert ece(CONFIDENCE, CORRECT, bins=10, equal="width") == pytest.approx(0.32)
    assert mce(CONFIDENCE, CORRECT, bins=10) == pytest.approx(0.55)
    assert ece(np.array([0.95, 1.0]), np.array([1.0, 0.0]), bins=10, equal="width") == pytest.approx(0.475)
    gap, share, count = bin_gaps(CONFIDENCE, CORRECT, equal_width(CONFIDENCE, bins=2))
    assert (gap.tolist(), share.tolist(), count.tolist()) == ([pytest.approx(0.16)], [0.6], [5])
    square = 0.16**2 - 0.6 * 0.4 / 4
    assert debiased_rmsce(CONFIDENCE, CORRECT, bins=2, equal="width") == pytest.approx(np.sqrt(max(0, square)))
    assert rmsce(CONFIDENCE, CORRECT, bins=2) == pytest.approx(0.16)
    assert debiased_rmsce(CONFIDENCE, CORRECT, bins=5) == 0.0  # bins of one row say nothing


def logits(n: int = 5000, classes: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities of an over-confident model of ten classes, and the truth."""
    random = np.random.default_rng(0)
    z = random.normal(size=(n, classes)) * 1.5
    true = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    truth = np.array([random.choice(classes, p=row) for row in true])
    sharp = np.exp(2 * z)
    return sharp / sharp.sum(axis=1, keepdims=True), truth


# ece_equal_width, mce, rmsce: torchmetrics 1.9.0; log_loss, roc_auc: scikit-learn 1.9.1; others: plain NumPy loops
GOLDEN = {
    "ece_equal_width": 0.21452300, "mce": 0.31526947, "rmsce": 0.23026873, "log_loss": 1.87633157,
    "brier": 0.77183343, "roc_auc": 0.84802043, "accuracy": 0.44700000, "ece": 0.21413258,
    "rmsce_debiased": 0.22999903, "classwise_ece": 0.04801176, "aurc": 0.41098173,
}  # fmt: skip


def test_golden_values() -> None:
    p, y = logits()
    spec = Target("y", "multiclass", tuple("abcdefghij"))
    seen = outcome(p, target=y, spec=spec)
    found = {
        "ece_equal_width": ece(seen.confidence, seen.sure, equal="width"),
        "ece": ece(seen.confidence, seen.sure),
        "mce": mce(seen.confidence, seen.sure),
        "rmsce": rmsce(seen.confidence, seen.sure),
        "rmsce_debiased": debiased_rmsce(seen.confidence, seen.sure),
        "classwise_ece": classwise_ece(p, y),
        **{name: metric(name).measure(seen).value for name in ("log_loss", "brier", "aurc", "roc_auc", "accuracy")},
    }
    assert found == pytest.approx(GOLDEN, abs=1e-6)


def test_the_bias_of_chance_is_taken_off() -> None:
    random = np.random.default_rng(1)
    plain, corrected = [], []
    for _ in range(60):
        p = random.uniform(0.5, 1, 400)
        hit = (random.random(400) < p).astype(float)
        plain.append(rmsce(p, hit, equal="mass") ** 2)
        corrected.append(debiased_rmsce(p, hit) ** 2)
    assert np.mean(plain) > 0.004
    assert np.mean(corrected) < np.mean(plain) / 2
