"""AGC against its formula in NumPy, unit by unit."""

import numpy as np
import pytest
import torch

from temperance import AdaptiveGradientClipping, Recipe
from temperance.regularizers.flatness.adaptive_gradient_clipping import unit_norms
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import attach, train

DOUBLE = torch.float64


def wanted(weights, grads, ratio):
    w, g = weights.reshape(len(weights), -1), grads.reshape(len(grads), -1)
    if weights.ndim == 1:
        w, g = weights[None], grads[None]
    limit = ratio * np.maximum(np.sqrt((w**2).sum(1)), 1e-3)
    size = np.maximum(np.sqrt((g**2).sum(1)), 1e-6)
    return (g * np.where(size > limit, limit / size, 1.0)[:, None]).reshape(grads.shape)


@pytest.mark.parametrize("name", ["mlp", "convnet"])
@pytest.mark.parametrize("head", [False, True])
def test_equals_the_formula(name, head):
    problem, ratio = PROBLEMS[name], 0.02
    plain = attach(Recipe(), problem, dtype=DOUBLE)
    start = {n: p.detach().clone().numpy() for n, p in plain.model.named_parameters()}
    train(plain, problem, [0], DOUBLE)
    session = train(
        attach(Recipe(AdaptiveGradientClipping(ratio, head=head)), problem, dtype=DOUBLE), problem, [0], DOUBLE
    )
    free = () if head or name == "convnet" else ("4.weight", "4.bias")
    raw = dict(plain.model.named_parameters())
    for n, p in session.model.named_parameters():
        grads = raw[n].grad.numpy()
        expected = grads if n in free else wanted(start[n], grads, ratio)
        np.testing.assert_allclose(p.grad.numpy(), expected, rtol=1e-9, atol=1e-15)


def test_units_are_rows_and_a_vector_is_one():
    assert unit_norms(torch.tensor([[3.0, 4.0], [0.0, 2.0]])).tolist() == [[5.0], [2.0]]
    assert float(unit_norms(torch.tensor([3.0, 4.0]))) == 5.0
    assert unit_norms(torch.ones(2, 3, 2, 2)).shape == (2, 1, 1, 1)


def test_beside_clipping_by_norm_it_warns():
    from temperance import GradientClipping

    assert "One of them is enough" in " ".join(Recipe(AdaptiveGradientClipping(), GradientClipping()).warnings)
