import copy

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from temperance import SWA, DropConnect, Recipe, SpectralNorm
from temperance.core.batches import Reader
from temperance.records.errors import RecipeError, SettingError
from temperance.regularizers.normalization.spectral_norm import iterate, largest


def attach(model, one, *others, **settings):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    return Recipe(one, *others).attach(model, optimizer, loss=nn.functional.mse_loss, **settings)


def sample(rows, *shape):
    return torch.randn(rows, *shape, generator=torch.Generator().manual_seed(1))


def built(build):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build()


def convnet():
    return nn.Sequential(nn.Conv2d(2, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(80, 3, bias=False))


def test_the_largest_singular_value_becomes_one():
    model = built(lambda: nn.Sequential(nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 3)))
    session = attach(model, SpectralNorm())
    x, y = sample(32, 12), sample(32, 3)
    for _ in range(300):
        session.step((x, y))
    session.finish()
    for layer in (model[0], model[2]):
        assert float(torch.linalg.matrix_norm(layer.weight.detach(), 2)) == pytest.approx(1.0, abs=1e-3)


def test_equals_dividing_the_weights_with_its_gradient():
    """Output and gradient of σ⁻¹·W·x + b with σ = uᵀWv at fixed u and v, by autograd."""
    model = built(lambda: nn.Linear(6, 4).double())
    twin = copy.deepcopy(model)
    session = attach(model, SpectralNorm())
    x, y = sample(5, 6).double(), sample(5, 4).double()
    left = iterate(twin.weight.detach(), model.temperance_left.clone(), 1)
    right = nn.functional.normalize(twin.weight.detach().T @ left, dim=0)
    session.loss((x, y)).backward()
    sigma = left @ twin.weight @ right
    nn.functional.mse_loss(x @ (twin.weight / sigma).T + twin.bias, y).backward()
    assert torch.allclose(model.weight.grad, twin.weight.grad, atol=1e-12)
    assert torch.allclose(model.bias.grad, twin.bias.grad, atol=1e-12)


def test_the_shipped_model_answers_as_the_trained_one():
    model = built(convnet)
    session = attach(model, SpectralNorm())
    x, y = sample(8, 2, 6, 6), sample(8, 3)
    for _ in range(5):
        session.step((x, y))
    model.eval()
    with torch.no_grad():
        expected = model(x)
        session.finish()
        assert torch.allclose(model(x), expected, atol=1e-6)
    assert not list(model.buffers())


def test_half_the_share_is_the_square_root():
    model = built(lambda: nn.Linear(6, 4))
    before = float(torch.linalg.matrix_norm(model.weight.detach(), 2))
    session = attach(model, SpectralNorm(0.5, iterations=50))
    session.loss((sample(5, 6), sample(5, 4)))
    session.finish()
    assert float(torch.linalg.matrix_norm(model.weight.detach(), 2)) == pytest.approx(before**0.5, rel=1e-5)


def test_by_hand():
    """diag(3, 1): σ = 3 with u = e₁."""
    w = torch.diag(torch.tensor([3.0, 1.0]))
    assert torch.allclose(iterate(w, torch.tensor([0.6, 0.8]), 30).abs(), torch.tensor([1.0, 0.0]), atol=1e-6)
    assert float(largest(w, torch.tensor([1.0, 0.0]))) == 3.0


def test_a_pattern_names_the_layers():
    model = built(convnet)
    session = attach(model, SpectralNorm(at="3"))
    assert [n for n, _ in model.named_buffers()] == ["3.temperance_share", "3.temperance_left", "3.temperance_used"]
    session.finish()


def test_where_attaching_fails_the_weights_stay():
    model = built(convnet)
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(RecipeError):
        attach(model, SpectralNorm(), SWA())  # SWA needs the length of the training
    assert all(torch.equal(a, before[n]) for n, a in model.state_dict().items())


@pytest.mark.parametrize("model", [nn.LayerNorm(3), nn.Sequential(nn.Embedding(3, 2))])
def test_nothing_to_divide_is_an_error(model):
    with pytest.raises(RecipeError, match="no linear or convolution layer"):
        attach(model, SpectralNorm())


def test_attention_projections_that_no_hook_reaches_are_left_out():
    model = nn.Sequential(nn.MultiheadAttention(4, 2))
    with pytest.raises(RecipeError, match="no linear"):
        attach(model, SpectralNorm())


def test_no_iteration_is_refused():
    with pytest.raises(SettingError, match="iterations"):
        SpectralNorm(iterations=0)


@pytest.mark.parametrize("build", [lambda: nn.Linear(6, 4), lambda: nn.Conv2d(2, 5, 3)])
def test_equals_torch_from_the_same_vectors(build):
    """Output and gradient of torch.nn.utils.parametrizations.spectral_norm."""
    model = built(build).double()
    twin = spectral_norm(copy.deepcopy(model))
    session = attach(model, SpectralNorm())
    left = model.temperance_left
    theirs = twin.parametrizations.weight[0]
    theirs._u.copy_(left)
    theirs._v.copy_(nn.functional.normalize(model.weight.detach().flatten(1).T @ left, dim=0))
    x = sample(5, 6).double() if isinstance(model, nn.Linear) else sample(5, 2, 6, 6).double()
    y = torch.zeros_like(twin.eval()(x))
    nn.functional.mse_loss(twin.train()(x), y).backward()
    session.loss((x, y)).backward()
    assert torch.allclose(model.weight.grad, twin.parametrizations.weight.original.grad, atol=1e-12)
    assert torch.allclose(model.bias.grad, twin.bias.grad, atol=1e-12)


@pytest.mark.parametrize("swap", [False, True])
def test_beside_dropconnect_both_act(swap):
    model = built(lambda: nn.Linear(40, 30, bias=False))
    plain = model.weight.detach().clone()
    parts = [SpectralNorm(), DropConnect(0.5)]
    session = attach(model, *(parts[::-1] if swap else parts))
    with torch.no_grad():
        seen = session.solo.forward(Reader().one((torch.eye(40), torch.zeros(40, 30))), 0).outputs.T
    kept = seen != 0
    assert 0.4 < float(kept.float().mean()) < 0.6
    ratio = seen[kept] / plain[kept]
    sigma = torch.linalg.matrix_norm(plain, 2)
    assert torch.allclose(ratio, torch.full_like(ratio, float(2 / sigma)), rtol=0.05)


def test_a_weight_that_is_parametrized_already_is_refused():
    model = nn.Sequential(spectral_norm(nn.Linear(3, 3)))
    with pytest.raises(RecipeError, match="computed anew"):
        attach(model, SpectralNorm())


def test_shipped_weights_are_those_that_finish_writes():
    model = built(convnet)
    session = attach(model, SpectralNorm())
    assert SpectralNorm().shipped(model) == {}  # no pass has been made: nothing is written
    for _ in range(3):
        session.step((sample(6, 2, 6, 6), sample(6, 3)))
    told = SpectralNorm().shipped(model)
    session.finish()
    assert set(told) == {"0.weight", "3.weight"}
    assert all(torch.equal(told[name], model.state_dict()[name]) for name in told)
