import pytest
import torch

from temperance import Dropout, WeightDecay
from temperance.testing.training import assert_close, assert_same, at_neutral, at_pressure


def test_trees_are_compared_bit_for_bit():
    one = {"a": torch.ones(2), "b": [torch.zeros(1)]}
    assert_same(one, {"a": torch.ones(2), "b": [torch.zeros(1)]}, "x")
    with pytest.raises(AssertionError, match=r"x: differs by 1\.0"):
        assert_same(one, {"a": torch.ones(2), "b": [torch.full((1,), 1e-7)]}, "x")
    with pytest.raises(AssertionError, match="other names"):
        assert_same(one, {"a": torch.ones(2)}, "x")


def test_closeness_is_relative_to_the_tensor():
    assert_close({"w": torch.tensor([100.0])}, {"w": torch.tensor([100.001])}, 1e-4, "x")
    with pytest.raises(AssertionError, match="w differs"):
        assert_close({"w": torch.tensor([1.0])}, {"w": torch.tensor([1.001])}, 1e-4, "x")


def test_strengths_by_their_place():
    assert at_neutral(Dropout(0.3)) == Dropout(0.0)
    assert at_pressure(WeightDecay(0.1), 1.0) == WeightDecay(5.0)
