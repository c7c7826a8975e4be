import numpy as np
import pytest
from scipy import stats

from temperance.records import statistics as s
from temperance.records.errors import DataError, SettingError


def noise(n, seed=0):
    return np.random.default_rng(seed).normal(size=n)


def test_paired_t_matches_scipy():
    a, b = noise(150), noise(150, 1)
    ours, theirs = s.paired(a, b), stats.ttest_rel(a, b)
    assert ours.method == "t"
    assert ours.p == pytest.approx(theirs.pvalue)
    interval = theirs.confidence_interval()
    assert (ours.low, ours.high) == pytest.approx((interval.low, interval.high), rel=1e-6)


def test_sign_flips_of_few_pairs_are_counted_exactly():
    d = np.array([0.3, 0.5, -0.1, 0.9, 0.4, 0.2])
    theirs = stats.permutation_test(
        (d,), np.mean, permutation_type="samples", alternative="two-sided", n_resamples=np.inf
    )
    assert s.sign_flip(d) == pytest.approx(theirs.pvalue)
    many = s.sign_flip(noise(40) + 0.3, resamples=4000)
    assert many == pytest.approx(stats.ttest_1samp(noise(40) + 0.3, 0).pvalue, abs=0.02)


def test_paired_chooses_its_method():
    a = (noise(500) > 0).astype(float)
    b = (noise(500) > 0.3).astype(float)
    assert s.paired(a, b).method == "mcnemar"
    assert s.paired(a, b).p == pytest.approx(s.mcnemar(int((a > b).sum()), int((a < b).sum())))
    assert s.paired(a, b, groups=np.arange(500) // 2).method == "t"
    assert s.paired(noise(50), noise(50, 1)).method == "permutation"
    assert s.paired(noise(50), noise(50, 1), method="bootstrap").method == "bootstrap"


@pytest.mark.parametrize("method", ["t", "bootstrap", "permutation"])
def test_methods_agree_on_what_they_see(method):
    base = noise(200)
    far = s.paired(base + 0.5 + 0.1 * noise(200, 1), base, method=method)
    assert far.p < 0.002
    assert 0.4 < far.low < far.difference < far.high < 0.6
    near = s.paired(base + noise(200, 2), base + noise(200, 3), method=method)
    assert near.p > 0.01
    assert near.low < near.difference < near.high


def test_the_same_losses_show_no_difference():
    x = noise(200)
    same = s.paired(x, x)
    assert (same.difference, same.low, same.high, same.p) == (0, 0, 0, 1)
    binary = (x > 0).astype(float)
    alike = s.paired(binary, binary)
    assert alike.p == 1.0
    assert alike.low < 0 < alike.high  # equal on 200 rows is not equal everywhere


def test_a_constant_difference_is_certain():
    x = np.round(noise(200), 2) * 4
    result = s.paired(x + 1.0, x, method="t")
    assert result.p < 1e-12
    assert result.to_dict()["difference"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("first", "second"), [([1.0, 2.0], [1.0]), ([], []), ([1.0, np.nan], [1.0, 2.0]), ([[1.0]], [[1.0]])]
)
def test_losses_that_do_not_match_are_refused(first, second):
    with pytest.raises(DataError):
        s.paired(first, second)


def test_unknown_method_is_refused():
    with pytest.raises(SettingError, match="'auto'"):
        s.paired([1.0], [2.0], method="guess")


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 9), (12, 3), (40, 40)])
def test_mcnemar_is_the_binomial_test(b, c):
    assert s.mcnemar(b, c) == pytest.approx(stats.binomtest(b, b + c).pvalue if b + c else 1.0)


def test_mcnemar_refuses_negative_counts():
    with pytest.raises(SettingError):
        s.mcnemar(-1, 3)


def test_holm_and_benjamini_hochberg():
    p = [0.01, 0.04, 0.03, 0.5]
    assert s.holm(p) == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert s.benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))
    assert s.holm([]) == []
    assert s.benjamini_hochberg([]) == []
    assert s.holm([0.9, 0.8]) == [1.0, 1.0]


@pytest.mark.slow
@pytest.mark.parametrize("n", [30, 300])
def test_false_alarms_of_the_paired_tests(n):
    """Two models that are equally good are told apart in about 5 of 100 data sets."""
    generator = np.random.default_rng(0)
    for method in ("t", "permutation", "bootstrap"):
        hits = [
            s.paired(generator.exponential(size=n), generator.exponential(size=n), method=method, resamples=400).p
            <= 0.05
            for _ in range(600)
        ]
        assert 0.025 < np.mean(hits) < 0.09


@pytest.mark.slow
def test_coverage_of_the_interval_of_paired_proportions():
    generator = np.random.default_rng(1)
    held = []
    for _ in range(3000):
        shared = generator.random(100) < 0.85
        a = np.where(generator.random(100) < 0.1, ~shared, shared).astype(float)
        b = np.where(generator.random(100) < 0.05, ~shared, shared).astype(float)
        result = s.paired(a, b)
        truth = (0.85 * 0.9 + 0.15 * 0.1) - (0.85 * 0.95 + 0.15 * 0.05)
        held.append(result.low <= truth <= result.high)
    assert 0.935 < np.mean(held) < 0.98


def test_intervals_can_be_imported_from_here():
    assert s.wilson(3, 20).low < 0.15 < s.wilson(3, 20).high
    assert all(hasattr(s, name) for name in s.__all__)
