"""What is held is counted, and given back."""

import pytest

from temperance.deployment.serve.limits import Held, Limits
from temperance.records.errors import RequestError, SettingError


def test_a_body_that_is_too_large_is_refused_at_its_announcement():
    with Held(Limits(body=1000)).body() as hold:
        hold.check(1000)
        with pytest.raises(RequestError, match="at most 1000 bytes") as caught:
            hold.check(1001)
    assert caught.value.status == 413


def test_large_bodies_share_one_budget_and_give_it_back():
    held = Held(Limits(small=10, memory=100))
    with held.body() as first, held.body() as second:
        first.grow(60)
        second.grow(10)  # small: not counted
        assert held.bytes == 60
        with pytest.raises(RequestError, match="busy") as caught:
            second.grow(41)
        assert caught.value.status == 503
        second.grow(40)
        assert held.bytes == 100
    assert held.bytes == 0
    with held.body() as third:
        third.grow(50)
        with pytest.raises(RequestError):
            third.grow(101)
    assert held.bytes == 0


@pytest.mark.parametrize("name", ["body", "memory", "head_seconds", "connections"])
def test_a_limit_is_a_number_above_zero(name):
    with pytest.raises(SettingError, match=f"{name}=0"):
        Limits(**{name: 0})
