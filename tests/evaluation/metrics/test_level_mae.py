import numpy as np

from temperance.evaluation.base import Outcome
from temperance.evaluation.metrics.level_mae import LevelMae

CHANCES = np.array([[0.9, 0.05, 0.05], [0.2, 0.7, 0.1], [0.8, 0.1, 0.1]])
SEEN = Outcome(CHANCES, np.array([0, 2, 2]), "multiclass", ordered=True)


def test_each_row_is_off_by_its_distance():
    assert LevelMae().contributions(SEEN).tolist() == [0.0, 1.0, 2.0]


def test_it_needs_levels():
    assert LevelMae().applies(SEEN)
    assert not LevelMae().applies(Outcome(CHANCES, np.array([0, 2, 2]), "multiclass"))
