"""Our figures against other packages on the same tensors, where they are installed: ``make test-peers``.

The packages are oracles of tests and never imported by the product. Versions that these figures were compared with:
torchmetrics 1.9, netcal 1.4, MAPIE 1.6, crepes 0.9.
"""

import numpy as np
import pytest

from temperance.evaluation.base import outcome
from temperance.evaluation.calibration_errors import ece, mce, rmsce
from temperance.evaluation.conformal import half_width, lac_sets, lac_threshold
from temperance.evaluation.metrics.registry import metric
from temperance.records.schema import Target

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]
CLASSES = tuple("abcdef")


@pytest.fixture(scope="module")
def seen():
    random = np.random.default_rng(3)
    z = random.normal(size=(4000, 6)) * 1.5
    true = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    truth = (true.cumsum(axis=1) < random.random((4000, 1))).sum(axis=1).clip(0, 5)
    sharp = np.exp(1.7 * z)
    return outcome(sharp / sharp.sum(axis=1, keepdims=True), target=truth, spec=Target("y", "multiclass", CLASSES))


def test_torchmetrics(seen) -> None:
    peer = pytest.importorskip("torchmetrics.functional.classification")
    import torch

    p, y = torch.tensor(seen.prediction), torch.tensor(seen.target)
    norms = {"l1": ece(seen.confidence, seen.sure, equal="width"), "max": mce(seen.confidence, seen.sure),
             "l2": rmsce(seen.confidence, seen.sure)}  # fmt: skip
    for norm, ours in norms.items():
        theirs = float(peer.multiclass_calibration_error(p, y, num_classes=6, n_bins=15, norm=norm))
        assert ours == pytest.approx(theirs, abs=2e-5), norm
    pairs = {
        "accuracy": peer.multiclass_accuracy(p, y, 6, average="micro"),
        "balanced_accuracy": peer.multiclass_accuracy(p, y, 6, average="macro"),
        "macro_f1": peer.multiclass_f1_score(p, y, 6, average="macro"),
        "roc_auc": peer.multiclass_auroc(p, y, 6, average="macro"),
    }
    for name, theirs in pairs.items():
        assert metric(name).measure(seen).value == pytest.approx(float(theirs), abs=1e-5), name


def test_scikit_learn(seen) -> None:
    from sklearn import metrics as peer

    p, y = seen.prediction, seen.target
    assert metric("log_loss").measure(seen).value == pytest.approx(peer.log_loss(y, p), abs=1e-6)
    onehot = np.eye(6)[y]
    assert metric("brier").measure(seen).value == pytest.approx(((p - onehot) ** 2).sum(axis=1).mean(), abs=1e-9)
    assert metric("macro_f1").measure(seen).value == pytest.approx(
        peer.f1_score(y, p.argmax(axis=1), average="macro"), abs=1e-9
    )
    assert metric("roc_auc").measure(seen).value == pytest.approx(
        peer.roc_auc_score(y, p, multi_class="ovr", average="macro"), abs=1e-6
    )


def test_netcal(seen) -> None:
    peer = pytest.importorskip("netcal.metrics")
    assert ece(seen.confidence, seen.sure, equal="width") == pytest.approx(
        peer.ECE(15).measure(seen.prediction, seen.target), abs=1e-6
    )
    assert mce(seen.confidence, seen.sure) == pytest.approx(
        peer.MCE(15).measure(seen.prediction, seen.target), abs=1e-6
    )


def test_crepes(seen) -> None:
    peer = pytest.importorskip("crepes")
    half = slice(0, 2000), slice(2000, 4000)
    p, y = seen.prediction, seen.target
    hinge = 1 - p[half[0]][np.arange(2000), y[half[0]]]
    model = peer.ConformalClassifier()
    model.fit(hinge)
    theirs = model.predict_set(1 - p[half[1]], confidence=0.9, smoothing=False)
    ours = lac_sets(p[half[1]], threshold=lac_threshold(p[half[0]], y[half[0]], coverage=0.9))
    assert np.mean(np.asarray(theirs, dtype=bool) == ours) > 0.9995


def test_mapie_on_values() -> None:
    pytest.importorskip("mapie")
    from mapie.regression import SplitConformalRegressor
    from sklearn.linear_model import LinearRegression

    random = np.random.default_rng(0)
    x = random.normal(size=(600, 2))
    y = x @ [1.0, -1.0] + random.normal(size=600)
    model = LinearRegression().fit(x[:200], y[:200])
    peer = SplitConformalRegressor(model, confidence_level=0.9, prefit=True).conformalize(x[200:400], y[200:400])
    _, ends = peer.predict_interval(x[400:])
    theirs = float((ends[:, 1, 0] - ends[:, 0, 0]).mean() / 2)
    assert half_width(model.predict(x[200:400]), y[200:400], coverage=0.9) == pytest.approx(theirs, abs=1e-6)
