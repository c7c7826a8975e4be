import pytest
import torch

from temperance import CautiousDecay, WeightDecay
from temperance.testing.driven import advance, begin, drive, moving, waves


def test_equals_the_published_rule_on_ten_thousand_coordinates():
    generator = torch.Generator().manual_seed(0)
    w, u = (torch.randn(100, 100, generator=generator, dtype=torch.float64) for _ in range(2))
    session = begin(CautiousDecay(0.3), [w], lambda p: torch.optim.SGD(p, lr=0.1))
    (after,) = advance(session, [u])
    assert torch.allclose(after, w - 0.1 * (u + 0.3 * torch.where(u * w >= 0, w, torch.zeros_like(w))), atol=1e-14)
    opposed = u * w < 0
    assert torch.allclose(after[opposed], (w - 0.1 * u)[opposed], atol=1e-15)
    assert int(opposed.sum()) > 4000


@pytest.mark.parametrize(("u", "expected"), [(1.0, 2.0 - 0.1 * 2.0), (-1.0, 2.1), (0.0, 1.9)])
def test_by_hand(u, expected):
    """w = 2, λ = 0.5, η = 0.1: decays by 0.1 unless the step makes w larger."""
    session = begin(CautiousDecay(0.5), [torch.full((1, 1), 2.0)], lambda p: torch.optim.SGD(p, lr=0.1))
    assert float(advance(session, [torch.full((1, 1), u)])[0]) == pytest.approx(expected, rel=1e-6)


def test_where_every_step_shrinks_it_is_decoupled_decay():
    ends = [
        drive(begin(one, waves(), lambda p: torch.optim.SGD(p, lr=0.1)), lambda _, weights: weights, 10)
        for one in (CautiousDecay(0.3), WeightDecay(0.3))
    ]
    for a, b in zip(*ends, strict=True):
        assert torch.allclose(a, b, atol=1e-14)


def test_it_respects_the_step_of_adam():
    """The mask follows Adam's step, not the gradient: after a turn of the gradient momentum still goes on."""
    session = begin(CautiousDecay(0.5), waves(), lambda p: torch.optim.Adam(p, lr=0.01))
    plain = begin(CautiousDecay(0.0), waves(), lambda p: torch.optim.Adam(p, lr=0.01))
    for one in (session, plain):
        advance(one, moving(0, waves()))
    for now, bare, start in zip(session.model.weights(), plain.model.weights(), waves(), strict=True):
        step = (start - bare) / 0.01
        assert torch.allclose(now, start - 0.01 * (step + 0.5 * (step * start >= 0) * start), atol=1e-12)
