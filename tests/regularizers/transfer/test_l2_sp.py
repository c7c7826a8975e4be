import pytest
import torch

from temperance import L2SP, Population, Recipe, SelectiveProjectionDecay
from temperance.core.optimizers import SGD
from temperance.records.errors import RecipeError, SettingError
from temperance.testing.driven import Driven, advance, begin, drive, moving, waves


def sgd(p):
    return torch.optim.SGD(p, lr=0.1)


def test_equals_the_published_penalty_under_sgd():
    """α/2·‖w − w₀‖² on the first weight, s·α/2·‖w‖² on the new one, by autograd."""
    got = drive(begin(L2SP(0.3, new="w1", share=0.5), waves(), sgd), moving, 20)
    weights = [w.requires_grad_() for w in waves()]
    optimizer = sgd(weights)
    for t in range(20):
        first = 0.5 * 0.3 * ((weights[0] - waves()[0]) ** 2).sum() + 0.5 * 0.15 * (weights[1] ** 2).sum()
        plain = moving(t, [w.detach() for w in weights])
        for w, g, extra in zip(weights, plain, torch.autograd.grad(first, weights), strict=True):
            w.grad = g + extra
        optimizer.step()
    for a, b in zip(got, weights, strict=True):
        assert torch.allclose(a, b, atol=1e-12)


def test_at_the_starting_weights_it_pulls_nowhere():
    one, plain = (begin(L2SP(rate), waves(), sgd) for rate in (1.0, 0.0))
    for a, b in zip(advance(one, moving(0, waves())), advance(plain, moving(0, waves())), strict=True):
        assert torch.allclose(a, b, atol=1e-15)


def test_by_hand():
    """w₀ = 1, moved to 3; α = 0.5, η = 0.1: 3 − 0.05·2."""
    session = begin(L2SP(0.5), [torch.ones(1, 1)], sgd)
    advance(session, [torch.zeros(1, 1)])  # w₀ are the weights of the first step
    session.solo.home.mul_(3.0)
    assert float(advance(session, [torch.zeros(1, 1)])[0]) == pytest.approx(2.9)


def test_a_pattern_that_fits_nothing_is_refused():
    with pytest.raises(RecipeError, match="L2SP"):
        begin(L2SP(new="head.*"), waves(), sgd)
    with pytest.raises(RecipeError, match="L2SP"):
        begin(L2SP(new="w*"), waves(), sgd)


def test_two_anchors_and_a_wrong_share_are_refused():
    with pytest.raises(RecipeError, match="L2SP"):
        Recipe(L2SP(), SelectiveProjectionDecay())
    with pytest.raises(SettingError, match="share"):
        L2SP(share=-1.0)


def test_members_of_a_population_hold_their_own_start():
    model = Driven(*waves())
    together = Population(Recipe(L2SP(1.0)), model, lambda out, _: out, SGD(0.1), 2, mode="vmap")
    weights = [{name: p.detach() + i for name, p in model.named_parameters()} for i in range(2)]
    state = together.begin(weights=weights)
    state, _ = together(state, (torch.zeros(1, 20, dtype=torch.float64), torch.zeros(1)))
    for i in range(2):
        for name, start in weights[i].items():
            assert torch.equal(state.params[name][i], start)
