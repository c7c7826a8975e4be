import numpy as np
import pytest

from temperance.evaluation.calibration import Identity, Temperature, calibrate, calibrator_of
from temperance.records.errors import DataError


def loss(p, y):
    return -np.log(np.maximum(p[np.arange(len(y)), y], 1e-7)).mean()


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("n", [30, 100, 1000])
def test_what_is_right_is_hardly_ever_touched_and_never_much(classes, n, made):
    touched, worst = 0, 0.0
    for seed in range(12):
        p, y = made(1.0, n=n, classes=classes, seed=seed)
        found = calibrate(p, y)
        fresh, truth = made(1.0, n=4000, classes=classes, seed=999)
        touched += found.share > 0
        worst = max(worst, loss(found.calibrator.apply(fresh), truth) / loss(fresh, truth) - 1)
    assert touched <= 3
    assert worst < 0.02


@pytest.mark.parametrize("classes", [2, 4, 12])
def test_what_is_clearly_wrong_is_set_right(classes, made):
    p, y = made(2.5, n=800, classes=classes)
    found = calibrate(p, y)
    fresh, truth = made(2.5, n=4000, classes=classes, seed=7)
    right = loss(made(1.0, n=4000, classes=classes, seed=7)[0], truth)
    assert loss(found.calibrator.apply(fresh), truth) - right < 0.15 * (loss(fresh, truth) - right)
    assert found.after < found.before
    assert found.held_out.shape == p.shape
    assert loss(found.held_out, y) == pytest.approx(found.after)


def test_rows_without_a_mistake_prove_nothing_about_rare_ones():
    p = np.tile([0.97, 0.03], (60, 1))
    assert calibrate(p, np.zeros(60, dtype=int)).calibrator == Identity()
    sure = np.tile([0.5, 0.5], (60, 1))
    assert calibrate(sure, np.r_[np.zeros(59, dtype=int), 1]).share > 0


def test_few_rows_are_left_alone(made):
    p, y = made(5.0, n=19)
    assert calibrate(p, y).calibrator == Identity()
    assert calibrate(p[:1], y[:1]).before == pytest.approx(loss(p[:1], y[:1]))


def test_a_class_that_never_came_keeps_a_finite_chance(made):
    p, y = made(2.5, n=600, classes=4)
    kept = y != 3
    out = calibrate(p[kept], y[kept]).calibrator.apply(p)
    assert np.isfinite(out).all()
    assert (out[:, 3] > 0).all()


def test_zeros_are_survived():
    generator = np.random.default_rng(0)
    p = np.eye(3)[generator.integers(0, 3, 500)]
    y = np.where(generator.random(500) < 0.9, p.argmax(axis=1), generator.integers(0, 3, 500))
    out = calibrate(p, y).calibrator.apply(p)
    assert loss(out, y) < 0.5 < loss(p, y)


def test_copies_in_groups_prove_no_more_than_one(made):
    p, y = made(1.6, n=60, classes=2)
    copies = np.repeat(np.arange(60), 20)
    alone, grouped = calibrate(p, y), calibrate(p[copies], y[copies], groups=copies)
    assert calibrate(p[copies], y[copies]).share > grouped.share
    assert grouped.share == pytest.approx(alone.share, abs=0.25)
    assert calibrate(p, y, groups=np.zeros(60)).share == 0  # one group cannot be left out


def test_more_rows_than_are_looked_at(made, monkeypatch):
    monkeypatch.setattr("temperance.evaluation.calibration.gate._JUDGED", 400)
    p, y = made(2.0, n=900)
    found = calibrate(p, y, sample_weight=np.ones(900))
    assert found.n == 900
    assert found.held_out is None
    assert found.share > 0.5


def test_the_same_rows_give_the_same_answer_and_it_can_be_written(made):
    p, y = made(2.0, n=300)
    one, other = calibrate(p, y), calibrate(p, y)
    assert one.to_dict() == other.to_dict()
    assert "held_out" not in one.to_dict()
    assert calibrator_of(one.to_dict()["calibrator"]) == one.calibrator
    assert calibrate(p, y, candidates=(Temperature,)).calibrator.kind == "temperature"
    assert calibrate(p, y, margin=1e6).calibrator == Identity()


@pytest.mark.parametrize("settings", [{"sample_weight": [0.0] * 40}, {"sample_weight": [1.0]}, {"groups": [1, 2]}])
def test_wrong_weights_and_groups_are_refused(settings, made):
    with pytest.raises(DataError):
        calibrate(*made(n=40), **settings)
    with pytest.raises(DataError, match="kind"):
        calibrator_of({"kind": "isotonic"})
