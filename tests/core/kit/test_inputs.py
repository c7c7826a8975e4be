"""Gradients by the inputs."""

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from temperance import InputGradientPenalty, JacobianPenalty, Recipe
from temperance.core.batch import Batch, Pass
from temperance.core.kit.inputs import attached_inputs, input_gradients, slopes_of
from temperance.core.leaves import Leaves
from temperance.records.errors import RecipeError


def inner(params, buffers, batch, key):
    out = (batch.inputs["x"] ** 2 * params["w"]).sum(1) + batch.inputs["kind"]
    return Pass(out.sum(), out, {}, {}, {}, batch)


@pytest.mark.parametrize("owned", [True, False])
def test_both_executors_give_gradients_that_can_be_differentiated(owned):
    w = torch.tensor([2.0, 3.0], requires_grad=owned)
    x = torch.tensor([[1.0, -1.0]])
    batch = Batch({"x": x, "kind": torch.tensor([5])}, torch.zeros(1))

    def slope(weight):
        grads, passed = input_gradients(
            inner, Leaves.of({"w": weight}, owned=owned), {}, batch, 0, lambda out: out.sum(), "Test"
        )
        return grads[0].square().sum() + 0 * passed.loss

    got = torch.autograd.grad(slope(w), w)[0] if owned else torch.func.grad(slope)(w)
    assert got.tolist() == [16.0, 24.0]  # d/dw Σ (2 x w)² = 8 x² w
    assert x.requires_grad is False


def test_inputs_without_decimals_are_refused():
    with pytest.raises(RecipeError, match="Test found no floating tensor"):
        input_gradients(inner, Leaves.of({}), {}, Batch(torch.zeros(2, dtype=torch.long), None), 0, sum, "Test")


def test_a_model_through_which_no_gradient_comes_is_refused():
    """An adversary found no way up, so the technique trained on the inputs as they were, without a word."""
    x = torch.ones(2, requires_grad=True)
    weight = torch.ones(2, requires_grad=True)
    with pytest.raises(RecipeError, match="none comes through the model"):
        slopes_of([(x.detach() * weight).sum()], [x], None)
    assert slopes_of([(x * weight).sum()], [x, weight.detach().requires_grad_()], None)[1].tolist() == [0.0, 0.0]


def test_checkpointing_that_cannot_give_input_gradients_is_named():
    x = torch.ones(2, requires_grad=True)
    value = checkpoint(lambda t: (t * t).sum(), x, use_reentrant=True)
    with pytest.raises(RecipeError, match="use_reentrant=False"):
        slopes_of([value], [x], None)


class Waves(torch.nn.Module):
    """A model that marks what it makes of its inputs, as wav2vec2 does for its frozen encoder."""

    def __init__(self):
        super().__init__()
        self.lin = torch.nn.Linear(4, 2)

    def forward(self, x):
        hidden = x * 2
        hidden.requires_grad = True
        return self.lin(hidden)


@pytest.mark.parametrize("one", [InputGradientPenalty(0.1), JacobianPenalty(0.1)], ids=repr)
def test_a_model_that_sets_requires_grad_itself_is_refused_by_name(one):
    model = Waves()
    session = Recipe(one).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.1), loss=torch.nn.functional.cross_entropy
    )
    with pytest.raises(RecipeError, match=rf"sets requires_grad .*{type(one).__name__} needs"):
        session.step((torch.randn(3, 4), torch.tensor([0, 1, 1])))


def test_other_errors_of_the_model_are_its_own():
    with pytest.raises(RuntimeError, match="mine"), attached_inputs("Test"):
        raise RuntimeError("mine")
