import numpy as np
import pytest
from scipy import stats

from temperance.records import distributions as d


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (2, 3), (50, 0.5), (500, 700), (1e4, 0.5)])
def test_beta_matches_scipy(a, b):
    for x in (0.0, 0.05, 0.3, 0.9, 0.9999, 1.0):
        assert d.beta_cdf(x, a=a, b=b) == pytest.approx(stats.beta.cdf(x, a, b), abs=1e-9)
    for p in (0.025, 0.5, 0.975):
        assert d.beta_quantile(p, a=a, b=b) == pytest.approx(stats.beta.ppf(p, a, b), abs=1e-9)


@pytest.mark.parametrize("df", [1, 2, 7, 49, 50, 300, 1e5])
def test_student_matches_scipy(df):
    for p in (0.5, 0.9, 0.975, 0.995, 0.01):
        assert d.t_quantile(p, df=df) == pytest.approx(stats.t.ppf(p, df), rel=1e-5)
    for t in (0.0, 0.5, -2.1, 6.0):
        assert d.t_tail(t, df=df) == pytest.approx(2 * stats.t.sf(abs(t), df), rel=1e-8)


def test_tails_of_no_and_of_endless_evidence():
    assert d.t_tail(float("inf"), df=5) == 0.0
    assert np.isnan(d.t_tail(float("nan"), df=5))
    assert d.t_tail(1.7, df=1e7) == pytest.approx(d.normal_tail(1.7))


def test_normal_and_binomial():
    assert d.normal_quantile(0.975) == pytest.approx(1.959963984540054)
    assert d.normal_tail(1.959963984540054) == pytest.approx(0.05)
    for k in (-1, 0, 3, 9, 10, 12):
        assert d.binomial_cdf(k, n=10, p=0.3) == pytest.approx(stats.binom.cdf(k, 10, 0.3), abs=1e-12)
