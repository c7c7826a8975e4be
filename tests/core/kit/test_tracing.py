"""A pass and the way back to its inputs: slopes that can be differentiated again, in both executors."""

import pytest
import torch

from temperance.core.batch import Batch, Pass
from temperance.core.kit.tracing import mean_squared, squared_lengths, traced
from temperance.core.leaves import Leaves
from temperance.records.errors import RecipeError

NOTHING = Leaves((), (), owned=True)


def _cube(params, buffers, batch, key):
    return Pass(batch.inputs.pow(3).sum(), 2 * batch.inputs, {}, {}, {})


@pytest.mark.parametrize("solo", [True, False])
def test_slopes_of_the_loss_and_of_the_outputs(solo):
    batch = Batch(torch.tensor([[1.0, 2.0]]), None)
    one = traced(_cube, NOTHING, {}, batch, 0, solo=solo, owner="T")
    (by_loss,) = one.pull(torch.ones(()), None)
    (by_outputs,) = one.pull(None, torch.tensor([[1.0, 0.0]]))
    assert torch.allclose(by_loss, torch.tensor([[3.0, 12.0]]))
    assert torch.allclose(by_outputs, torch.tensor([[2.0, 0.0]]))


def test_the_slope_has_a_slope():
    x = torch.tensor([[2.0]], requires_grad=True)
    (slope,) = traced(_cube, NOTHING, {}, Batch(x, None), 0, solo=True, owner="T").pull(torch.ones(()), None)
    (second,) = torch.autograd.grad(slope.sum(), x)
    assert float(second) == pytest.approx(12.0)


def test_outputs_that_are_no_tensor_are_refused():
    def inner(params, buffers, batch, key):
        return Pass(batch.inputs.sum(), {"a": batch.inputs}, {}, {}, {})

    with pytest.raises(RecipeError, match="one tensor"):
        traced(inner, NOTHING, {}, Batch(torch.ones(1, 1), None), 0, solo=True, owner="T")


def test_squared_lengths_over_leaves_of_any_shape():
    parts = [torch.full((2, 3), 2.0), torch.ones(2, 1, 2, 2), torch.tensor([1.0, 3.0])]
    assert squared_lengths(parts).tolist() == [17.0, 25.0]
    assert squared_lengths(parts[:1]).tolist() == [12.0, 12.0]


@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 1.0])])
def test_the_mean_over_examples_with_equal_weights_and_without(weight):
    value, share = mean_squared([torch.full((2, 3), 2.0), torch.ones(2, 1, 2, 2)], weight)
    assert float(value) * share == pytest.approx(16.0)
