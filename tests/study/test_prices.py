"""Planning factors are sane."""

from temperance.study.prices import STEP_FACTOR


def test_factors_are_at_least_one_and_sam_doubles():
    assert all(factor >= 1 for factor in STEP_FACTOR.values())
    assert STEP_FACTOR["SAM"] >= 2
