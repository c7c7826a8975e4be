import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from temperance.evaluation.ood.detection import auroc, average_precision, detect, false_alarms, misses
from temperance.records.errors import DataError

G = np.random.default_rng(0)
ID, OOD = G.normal(size=400), G.normal(1.2, 1.5, size=300)


def test_toy_by_hand():
    known, strange = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.25, 0.5, 0.6, 0.7])
    assert auroc(known, strange) == 0.875
    assert false_alarms(known, strange) == 0.5  # all strange rows are reached at 0.25: 0.3 and 0.4 lie above
    assert misses(known, strange) == 0.25  # all known rows are kept up to 0.4: 0.25 lies below


@pytest.mark.parametrize("digits", [None, 1])
def test_equal_to_scikit_learn_with_and_without_ties(digits):
    known, strange = (v if digits is None else np.round(v, digits) for v in (ID, OOD))
    y, s = np.r_[np.zeros(400), np.ones(300)], np.r_[known, strange]
    assert auroc(known, strange) == pytest.approx(roc_auc_score(y, s), abs=1e-12)
    assert average_precision(known, strange) == pytest.approx(average_precision_score(y, s), abs=1e-12)
    fpr, tpr, _ = roc_curve(y, s, drop_intermediate=False)
    assert false_alarms(known, strange) == pytest.approx(fpr[np.argmax(tpr >= 0.95)], abs=1e-12)
    fpr, tpr, _ = roc_curve(1 - y, -s, drop_intermediate=False)  # known rows as positives, as in ODIN
    assert misses(known, strange) == pytest.approx(fpr[np.argmax(tpr >= 0.95)], abs=1e-12)


def test_the_two_conventions_differ():
    assert abs(false_alarms(ID, OOD) - misses(ID, OOD)) > 0.1


def test_intervals_hold_the_value_and_names_hold_the_set():
    found = detect(ID, OOD, score="MSP", name="mirrored", distance="near", seed=1)
    assert [m.name for m in found.figures] == [
        f"ood/near/mirrored/MSP/{f}" for f in ("auroc", "aupr", "far@95detect", "miss@95keep")
    ]
    assert all(m.low <= m.value <= m.high for m in found.figures)
    error = (found.figures[0].high - found.figures[0].low) / (2 * 1.96)
    assert error == pytest.approx(0.0185, rel=0.3)
    assert "400 known, 300 strange" in found.figures[0].convention
    assert [m.better for m in found.figures] == ["higher", "higher", "lower", "lower"]
    assert found == detect(ID, OOD, score="MSP", name="mirrored", distance="near", seed=1)


def test_scores_that_cannot_be_compared():
    for known, strange in ((ID[:0], OOD), (ID, OOD[:0]), (ID, np.array([np.nan]))):
        with pytest.raises(DataError, match="finite scores"):
            detect(known, strange, score="s", name="n", distance="far")
