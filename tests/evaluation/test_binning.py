import numpy as np

from temperance.evaluation.binning import equal_mass, equal_width


def test_equal_width_bins_are_closed_below():
    code = equal_width(np.array([0.0, 0.1, 0.7999, 0.8, 0.9, 1.0]), bins=10)
    assert code.tolist() == [0, 1, 7, 8, 9, 9]


def test_equal_mass_splits_like_array_split():
    x = np.random.default_rng(0).permutation(17) / 17
    code = equal_mass(x, bins=5)
    parts = np.array_split(np.arange(17), 5)
    for b, part in enumerate(parts):
        assert (code[np.argsort(x)[part]] == b).all()


def test_equal_mass_keeps_ties_together():
    x = np.array([0.5] * 6 + [0.9] * 4)
    code = equal_mass(x, bins=5)
    assert len(set(code[:6])) == 1
    assert len(set(code[6:])) == 1
    assert equal_mass(np.array([0.3]), bins=15).tolist() == [0]
