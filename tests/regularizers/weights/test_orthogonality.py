import numpy as np
import pytest
import torch

from temperance import Orthogonality
from temperance.regularizers.weights.orthogonality import skewness
from temperance.testing.driven import begin, drive, waves


@pytest.mark.parametrize("shape", [(4, 3), (2, 4), (3, 2, 2, 2)])
def test_equals_the_published_penalty(shape):
    w = torch.sin(torch.arange(float(np.prod(shape)), dtype=torch.float64)).reshape(shape)
    flat = w.reshape(shape[0], -1).numpy()
    gram = flat @ flat.T if flat.shape[0] <= flat.shape[1] else flat.T @ flat
    assert float(skewness(w)) == pytest.approx(((gram - np.eye(len(gram))) ** 2).sum(), rel=1e-12)


def test_an_orthogonal_matrix_costs_nothing():
    q, _ = torch.linalg.qr(waves()[0])
    for w in (q, q.T):
        assert float(skewness(w)) == pytest.approx(0.0, abs=1e-24)


def test_by_hand():
    """W = (1 1): W·Wᵀ − 1 = 1, squared 1."""
    assert float(skewness(torch.ones(1, 2))) == 1.0


def test_weights_become_orthogonal():
    generator = torch.Generator().manual_seed(0)
    starts = [torch.randn(4, 3, generator=generator), torch.randn(2, 4, generator=generator)]
    session = begin(Orthogonality(0.1), starts, lambda p: torch.optim.SGD(p, lr=0.2))
    weights = drive(session, lambda _, ws: [torch.zeros_like(w) for w in ws], 300)
    assert sum(float(skewness(w)) for w in weights) < 1e-6
