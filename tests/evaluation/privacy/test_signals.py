"""Signals: known values, and no digits lost where the model is sure."""

import numpy as np
import pytest

from temperance.evaluation.privacy.signals import chances, margins, residuals
from temperance.records.errors import DataError


def test_margins_are_the_log_odds_of_the_truth() -> None:
    p = np.array([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]])
    np.testing.assert_allclose(margins(p, np.array([0, 2])), [0.0, np.log(0.7 / 0.3)], rtol=1e-12)


def test_a_very_sure_answer_keeps_its_digits() -> None:
    tiny = 1e-11
    (found,) = margins(np.array([[1 - tiny, tiny]]), np.array([0]))
    assert found == pytest.approx(-np.log(tiny), rel=1e-6)


def test_certainty_is_bounded() -> None:
    found = margins(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0, 1]))
    np.testing.assert_allclose(found, [-np.log(1e-12), np.log(1e-12)])


def test_chances_and_residuals() -> None:
    np.testing.assert_allclose(chances(np.array([[0.3, 0.7], [1.0, 0.0]]), np.array([1, 1])), [0.7, 1e-12])
    np.testing.assert_allclose(residuals(np.array([1.0, 2.0]), np.array([3.0, 2.0])), [-4.0, 0.0])


@pytest.mark.parametrize("truth", [[0], [0, 2], [0, -1]])
def test_what_does_not_fit_is_refused(truth) -> None:
    with pytest.raises(DataError):
        margins(np.full((2, 2), 0.5), np.array(truth))
