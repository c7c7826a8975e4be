"""The interface knows jobs and nothing of where they run."""

import pytest

from temperance.study.workers import Lease, Workers


def test_a_lease_knows_its_kind():
    assert Lease(1, {"job": "trial"}).kind == "trial"
    assert Lease(2).kind == ""


def test_nothing_can_be_left_out():
    with pytest.raises(TypeError, match="abstract"):
        Workers()
