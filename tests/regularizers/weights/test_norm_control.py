import pytest
import torch

from temperance import NormControl, WeightDecay
from temperance.records.errors import SettingError
from temperance.testing.driven import advance, begin, drive, moving, waves


def adam(p):
    return torch.optim.Adam(p, lr=1e-2)


def test_target_zero_is_decoupled_decay():
    ends = [drive(begin(one, waves(), adam), moving, 30) for one in (NormControl(0.5, target=0.0), WeightDecay(0.5))]
    for a, b in zip(*ends, strict=True):
        assert torch.allclose(a, b, atol=1e-14)


def test_by_hand():
    """‖w‖ = 5 grew to 10: pulled by 0.1·0.5·(1 − 5/10) = 0.025 of itself."""
    session = begin(NormControl(0.5), [torch.tensor([[3.0, 4.0]])], lambda p: torch.optim.SGD(p, lr=0.1))
    advance(session, [torch.zeros(1, 2)])  # the first step sees the goal itself
    session.solo.home.mul_(2.0)
    (after,) = advance(session, [torch.zeros(1, 2)])
    assert after.tolist()[0] == pytest.approx([6 * 0.975, 8 * 0.975], rel=1e-6)


@pytest.mark.parametrize("target", [0.5, 2.0])
def test_without_gradients_norms_reach_their_target(target):
    session = begin(NormControl(1.0, target=target), waves(), lambda p: torch.optim.SGD(p, lr=0.1))
    ends = drive(session, lambda _, weights: [torch.zeros_like(x) for x in weights], 300)
    for a, w in zip(ends, waves(), strict=True):
        assert float(a.norm()) == pytest.approx(target * float(w.norm()), rel=1e-6)


def test_zero_weights_and_wild_rates_stay_finite():
    session = begin(NormControl(5.0), [torch.zeros(2, 2), torch.ones(2, 2)], lambda p: torch.optim.SGD(p, lr=10.0))
    for a in drive(session, lambda _, ws: [torch.zeros_like(w) for w in ws], 5):
        assert torch.isfinite(a).all()


def test_a_negative_target_is_refused():
    with pytest.raises(SettingError, match="target"):
        NormControl(target=-1.0)
