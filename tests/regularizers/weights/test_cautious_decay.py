import pytest
import torch

from temperance import CautiousDecay, WeightDecay
from temperance.testing.driven import advance, begin, drive, moving, waves

# Both weights after so many steps of ``adamw_update(…, cautious_wd=True)`` from microsoft/dion at 0a059a4,
# dion/scalar_opts.py, run without torch.compile: torch 2.13, float64, from ``waves()`` with the gradients ``moving``;
# lr 0.05, betas (0.9, 0.95), weight decay 0.5, epsilon 1e-8.
PUBLISHED = {
    10: (
        [0.3981764216907295, 1.339644715971649, 1.2157879083882916, -0.1436681183762261, -1.257350173751308,
         -1.3488497784947082, -0.07276677378323652, 1.1583412649742226, 1.4186236517631978, 0.2823919267763556,
         -1.0446747911890875, -1.4566247250808313],
        [0.6379548171758666, 1.0391287605659734, 0.1049672851915179, -0.5116985774634433, -1.1542369565974224,
         -0.2207923746488653, 0.41841481795186686, 1.255020345948673],
    ),
    50: (
        [0.24967611242695986, -0.2694164074045434, -0.5965060551250027, -0.3048434741254823, 0.21118176061115762,
         0.6053577949752104, 0.378105883894359, -0.13292801629607476, -0.57409321103314, -0.43125554315406484,
         0.0546895881573365, 0.5183449499317533],
        [0.22993462015015892, -0.26497360589503666, -0.6679886772497986, -0.2991206994080026, 0.2014329883002935,
         0.670257867051138, 0.3700146193623752, -0.14513773413759545],
    ),
}  # fmt: skip


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


@pytest.mark.parametrize("steps", PUBLISHED)
def test_equals_a_published_implementation_around_adam(steps):
    session, plain = (
        begin(CautiousDecay(rate), waves(), lambda p: torch.optim.Adam(p, lr=0.05, betas=(0.9, 0.95), eps=1e-8))
        for rate in (0.5, 0.0)
    )
    after, bare = drive(session, moving, steps), drive(plain, moving, steps)
    for now, figures in zip(after, PUBLISHED[steps], strict=True):
        assert torch.allclose(now.flatten(), torch.tensor(figures, dtype=torch.float64), rtol=0, atol=1e-12)
    assert max(float((a - b).abs().max()) for a, b in zip(after, bare, strict=True)) > 0.1  # decay was at work
