import numpy as np
import pytest
import torch

from temperance import L1, L2, ElasticNet, Recipe
from temperance.records.errors import RecipeError, SettingError
from temperance.testing.driven import advance, begin, drive, moving, waves


def sgd(p):
    return torch.optim.SGD(p, lr=0.1)


def test_equals_the_published_gradient():
    session = begin(ElasticNet(0.3, share=0.4), waves(), sgd)
    got = drive(session, moving, 20)
    for i, w in enumerate(t.numpy().copy() for t in waves()):
        for t in range(20):
            gradient = moving(t, [torch.from_numpy(w)])[0].numpy()
            w = w - 0.1 * (gradient + 0.3 * (0.4 * np.sign(w) + 0.6 * w))
        assert np.allclose(got[i].numpy(), w, atol=1e-12)


@pytest.mark.parametrize(("share", "twin"), [(1.0, L1(0.2)), (0.0, L2(0.2))])
def test_its_ends_are_the_lasso_and_the_ridge(share, twin):
    ends = [drive(begin(one, waves(), sgd), moving, 10) for one in (ElasticNet(0.2, share=share), twin)]
    for a, b in zip(*ends, strict=True):
        assert torch.allclose(a, b, atol=1e-13)


def test_by_hand():
    """w = 2, λ = 0.1, s = 0.5: penalty 0.1·(1 + 1), gradient 0.1·(0.5 + 1)."""
    session = begin(ElasticNet(0.1), [torch.full((1, 1), 2.0)], lambda p: torch.optim.SGD(p, lr=1.0))
    assert float(session.loss((torch.zeros(1, 1), torch.zeros(1))).detach()) == pytest.approx(0.2)
    assert float(advance(session, [torch.zeros(1, 1)])[0]) == pytest.approx(1.85)


@pytest.mark.parametrize("other", [L1(), L2()])
def test_two_of_a_kind_are_refused(other):
    with pytest.raises(RecipeError, match="ElasticNet"):
        Recipe(ElasticNet(), other)


def test_a_wrong_share_is_refused():
    with pytest.raises(SettingError, match="share"):
        ElasticNet(share=2.0)
