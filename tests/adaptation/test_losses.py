"""Bounded losses of classes and values."""

import numpy as np
import pytest

from temperance.adaptation.losses import BOUND, KEPT, Losses


def test_classes_count_wrong_answers_and_half_brier_scores() -> None:
    source, new = np.array([[0.8, 0.2]]), np.array([[0.4, 0.6]])
    losses, errors = Losses(2, 1.0).between(source, new, np.array([1.0]))
    assert losses.tolist() == pytest.approx([0.64 - 0.16])
    assert errors.tolist() == [1.0]
    assert Losses(2, 1.0).height == 1.0


def test_squared_errors_are_cut_at_a_height() -> None:
    losses, errors = Losses(0, 2.0).between(np.array([10.0, 3.0]), np.array([9.0, 0.0]), np.zeros(2))
    assert losses.tolist() == [0.0, 1.0]
    assert errors.tolist() == losses.tolist()


def test_a_third_of_wrong_labels_does_not_raise_the_height() -> None:
    rng = np.random.default_rng(0)
    kept = Losses(0, 1.0)
    truth = rng.normal(size=KEPT) + np.where(rng.random(KEPT) < 0.3, rng.normal(size=KEPT) * 4, 0.0)
    kept.see(np.zeros(KEPT), truth)
    assert kept.height == BOUND


def test_a_law_that_moved_raises_it_and_its_return_lowers_it() -> None:
    rng = np.random.default_rng(0)
    kept = Losses(0, 1.0)
    kept.see(np.zeros(KEPT), rng.normal(size=KEPT) + 4)
    assert 15 < kept.height / BOUND / 0.5 < 21  # median near 16, over 4 * 0.455 = 1.82: 8.8 times
    kept.see(np.zeros(KEPT), rng.normal(size=KEPT))
    assert kept.height == BOUND


def test_the_state_goes_on_exactly() -> None:
    one, other = Losses(0, 1.0), Losses(0, 1.0)
    one.see(np.zeros(KEPT), np.full(KEPT, 5.0))
    other.load_state_dict(one.state_dict())
    assert other.height == one.height > BOUND
