import pytest
import torch

from temperance import FixedNorm
from temperance.records.errors import SettingError
from temperance.testing.driven import advance, begin, moving, waves


def test_norms_stay_as_they_were():
    session = begin(FixedNorm(), [w.float() for w in waves()], lambda p: torch.optim.Adam(p, lr=0.1))
    for t in range(50):
        for a, w in zip(advance(session, moving(t, session.model.weights())), waves(), strict=True):
            assert float(a.norm()) == pytest.approx(float(w.norm()), rel=1e-6)


def test_half_the_way_by_hand():
    """‖w‖ goes from 5 to 10 in the step; with s = 0.5 the factor is 1 + 0.5·(0.5 − 1) = 0.75."""
    session = begin(FixedNorm(0.5), [torch.tensor([[3.0, 4.0]])], lambda p: torch.optim.SGD(p, lr=1.0))
    (after,) = advance(session, [torch.tensor([[-3.0, -4.0]])])
    assert after.tolist()[0] == pytest.approx([4.5, 6.0], rel=1e-6)


def test_a_target_of_zero_is_refused():
    with pytest.raises(SettingError, match="target"):
        FixedNorm(target=0.0)
