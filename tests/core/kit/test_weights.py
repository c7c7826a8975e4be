import pytest
import torch
from torch import nn

from temperance.core.kit.weights import each_norm, limited, present, rates, rebuild, require_matrices, shrunk
from temperance.core.leaves import Leaves
from temperance.records.errors import RecipeError


@pytest.fixture(params=[True, False], ids=["solo", "pure"])
def leaves(request):
    return Leaves(("a", "b"), [torch.ones(2, 2), torch.full((3,), 2.0)], owned=request.param)


def test_rates_are_one_number_or_one_per_leaf(leaves):
    assert rates(leaves, 0.1, ("b",)) == [0.1]
    assert rates(leaves, [0.1, 0.2], ("b", "a")) == [0.2, 0.1]


def test_the_limit_holds_for_numbers_and_tensors():
    assert limited(0.5) == 0.1
    assert limited(0.05) == 0.05
    assert torch.equal(limited(torch.tensor([0.5, 0.05])), torch.tensor([0.1, 0.05]))


@pytest.mark.parametrize("rate", [0.5, [0.5, 0.3]])
def test_shrinking_stops_at_a_tenth(leaves, rate):
    new = shrunk(leaves, rate, ("a", "b"), torch.tensor(0.1))
    other = rate if isinstance(rate, float) else rate[1]
    assert torch.allclose(new["a"], torch.full((2, 2), 0.95))
    assert torch.allclose(new["b"], torch.full((3,), 2.0 * (1 - 0.1 * other)))
    assert torch.allclose(shrunk(new, 50.0, ("a",), torch.tensor(0.1))["a"], torch.full((2, 2), 0.95 * 0.9))


def test_present_leaves_out_what_has_no_gradient(leaves):
    assert present(leaves, ("b", "c")) == ("b",)


def test_rebuild_changes_the_named_leaves_alone(leaves):
    first = leaves["a"]
    new = rebuild(leaves, ("a",), lambda i, w: w + i + 1)
    assert torch.equal(new["a"], torch.full((2, 2), 2.0))
    assert torch.equal(new["b"], torch.full((3,), 2.0))
    assert (new["a"] is first) == leaves.owned


def test_each_norm(leaves):
    assert torch.allclose(each_norm(leaves), torch.tensor([2.0, 12.0**0.5]))


def test_a_model_without_matrices_is_refused():
    assert require_matrices(nn.Linear(2, 2), "X") == ("weight",)
    with pytest.raises(RecipeError, match="X finds nothing to act on"):
        require_matrices(nn.LayerNorm(3), "X")
