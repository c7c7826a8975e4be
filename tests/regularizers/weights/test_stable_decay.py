import pytest
import torch

from temperance import StableDecay, WeightDecay
from temperance.records.errors import SettingError
from temperance.testing.driven import advance, begin, drive, moving, waves

# First row of each weight after 40 steps of the authors' AdamS (zeke-xie/stable-weight-decay-regularization, commit
# e0abb1d, lr 1e-3, weight_decay 1e-2) on `waves` under `moving`; obtained on torch 2.13.
AUTHORS = [[0.033329624, 0.845484764, 0.887703152], [1.00223434, 0.549572928, -0.413026031]]


def test_equals_the_authors_code():
    session = begin(StableDecay(1e-2), waves(), lambda p: torch.optim.Adam(p, lr=1e-3))
    for got, expected in zip(drive(session, moving, 40), AUTHORS, strict=True):
        assert torch.allclose(got.flatten()[:3], torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-6)


def test_a_second_moment_of_one_is_decoupled_decay():
    def signs(t, weights):
        return [torch.sign(torch.sin(1.0 + t + w)) for w in weights]

    ends = [
        drive(begin(one, waves(), lambda p: torch.optim.Adam(p, lr=1e-2)), signs, 20)
        for one in (StableDecay(0.1), WeightDecay(0.1))
    ]
    for a, b in zip(*ends, strict=True):
        assert torch.allclose(a, b, atol=1e-12)


def test_by_hand():
    """g = 3 on one of two weights: v̄ = 9/2, w ← w·(1 − 0.1·0.5/√4.5) − 0.1·g."""
    session = begin(StableDecay(0.5), [torch.tensor([[2.0, 2.0]])], lambda p: torch.optim.SGD(p, lr=0.1))
    (after,) = advance(session, [torch.tensor([[3.0, 0.0]])])
    kept = 2 * (1 - 0.05 / 4.5**0.5)
    assert after.tolist()[0] == pytest.approx([kept - 0.3, kept], rel=1e-6)


@pytest.mark.parametrize("g", [0.0, 1e-7])
def test_tiny_gradients_never_take_more_than_a_tenth(g):
    """The authors' code divides by zero, or multiplies the weights by −4."""
    session = begin(StableDecay(5e-4), waves(), lambda p: torch.optim.Adam(p, lr=1e-3))
    before = waves()
    for _ in range(5):
        after = advance(session, [torch.full_like(w, g) for w in before])
        for a, b in zip(after, before, strict=True):
            assert torch.isfinite(a).all()
            assert float((a - 0.9 * b).abs().max()) <= 2e-3
        before = [a.clone() for a in after]


def test_wrong_beta_is_refused():
    with pytest.raises(SettingError, match="beta"):
        StableDecay(beta=1.0)
