import pytest
import torch

from temperance.evaluation.adversarial.losses import by_pair, margin, targeted_margin
from temperance.evaluation.adversarial.victim import Victim, fails
from temperance.records.errors import SettingError


def test_slopes_are_those_of_the_loss_whether_exact_or_estimated(linear):
    x, y = linear.x[:20], linear.y[:20]
    exact, estimated = Victim(linear), Victim(linear, gradient="estimated", nudge=1e-4)
    found, guess = exact.slope(x, y, margin), estimated.slope(x, y, margin)
    for one, two in zip(found, guess, strict=True):
        torch.testing.assert_close(one, two, atol=1e-8, rtol=1e-6)
    rival = linear(x).scatter(1, y[:, None], -torch.inf).argmax(dim=1)
    torch.testing.assert_close(found[2], linear.w[rival] - linear.w[y])
    assert (exact.tally.slopes, estimated.tally.forwards) == (20, 20 + 2 * 6 * 20)


def test_estimates_at_the_edge_of_the_box_use_the_distance_that_is_left(linear):
    high = linear.x[:5].amax(dim=0)
    victim = Victim(linear, high=high, gradient="estimated", nudge=1e-3)
    exact = Victim(linear).slope(high[None], linear.y[:1], margin)[2]
    torch.testing.assert_close(victim.slope(high[None], linear.y[:1], margin)[2], exact, atol=1e-7, rtol=1e-6)


def test_what_is_not_free_has_no_slope_and_chunks_change_nothing(linear):
    free = torch.tensor([1.0, 0, 1, 1, 0, 1], dtype=torch.float64)
    x, pair = linear.x, torch.stack([linear.y, (linear.y + 1) % 3], dim=1)
    for way in ("exact", "estimated"):
        whole = Victim(linear, free=free, gradient=way).slope(x, pair, by_pair(targeted_margin))
        parts = Victim(linear, free=free, gradient=way, chunk=7).slope(x, pair, by_pair(targeted_margin))
        assert (whole[2][:, [1, 4]] == 0).all()
        torch.testing.assert_close(whole, parts)


def test_a_model_without_slopes_gives_zeros(linear):
    victim = Victim(lambda x: linear(x).detach())
    assert (victim.slope(linear.x, linear.y, margin)[2] == 0).all()


def test_what_is_not_finite_is_wrong():
    scores = torch.tensor([[2.0, 1.0], [1.0, 2.0], [torch.nan, 0.0], [torch.inf, 0.0]])
    assert fails(scores, torch.zeros(4, dtype=torch.int64)).tolist() == [False, True, True, True]


def test_box_and_settings(linear):
    victim = Victim(linear, -1.0, 2.0, free=torch.tensor([1.0, 0, 1, 1, 1, 1]))
    assert victim.inside(torch.tensor([-3.0, 5.0])).tolist() == [-1.0, 2.0]
    assert victim.extent(linear.x).tolist() == [3.0, 0, 3, 3, 3, 3]
    assert Victim(linear, low=0.0).extent(linear.x) is None
    with pytest.raises(SettingError, match="'exact', 'estimated' or 'none'"):
        Victim(linear, gradient="guessed")
