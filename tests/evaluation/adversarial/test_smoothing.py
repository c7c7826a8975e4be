import math

import pytest
import torch
from scipy.stats import beta, norm

from temperance.evaluation.adversarial.smoothing import certify, largest_radius, lower_bound
from temperance.evaluation.adversarial.victim import Victim
from temperance.records.errors import SettingError


def test_bounds_are_those_of_clopper_and_pearson():
    for hits, draws in ((0, 100), (1, 100), (77, 100), (1000, 1000)):
        exact = 0.0 if hits == 0 else beta.ppf(0.001, hits, draws - hits + 1)
        assert lower_bound(hits, draws, alpha=0.001) == pytest.approx(exact, abs=1e-9)
    assert largest_radius(0.25, 1000) == pytest.approx(0.25 * norm.ppf(0.001 ** (1 / 1000)))


def test_radii_of_a_linear_model_stay_below_the_exact_distance(two_classes):
    x, y = two_classes.x[:40], two_classes.y[:40]
    exact = two_classes.distance(2)[:40]  # smoothing a linear model of two classes changes nothing
    found = certify(Victim(two_classes), x, y, sigma=0.5, draws=2000)
    assert (found.radius <= exact + 1e-9).all()
    near = (exact > 0.1) & (exact < 0.7)
    assert float((found.radius / exact)[near].mean()) > 0.75
    assert found.accuracy(0.0) >= found.accuracy(0.25) >= found.accuracy(0.5)
    assert (found.radius[found.answer < 0] == 0).all()
    assert found.to_dict()["n"] == 40


def test_what_is_refused(two_classes):
    with pytest.raises(SettingError, match="sigma above 0"):
        certify(Victim(two_classes), two_classes.x, two_classes.y, sigma=math.nan)


def test_fixed_columns_get_no_noise(two_classes):
    seen = []
    free = torch.tensor([1.0, 0, 1, 1, 1, 1], dtype=torch.float64)
    victim = Victim(lambda x: seen.append(x) or two_classes(x), free=free)
    certify(victim, two_classes.x[:2], two_classes.y[:2], sigma=0.5, draws=10, first=5)
    assert all(len(x[:, 1].unique()) == 1 for x in seen)
