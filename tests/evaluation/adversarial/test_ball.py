import pytest
import torch

from temperance.evaluation.adversarial.ball import BALLS, L2, Linf
from temperance.evaluation.adversarial.victim import Victim
from temperance.records.errors import SettingError


@pytest.mark.parametrize("norm", BALLS)
def test_points_stay_in_ball_and_box_and_what_is_fixed_stays(norm, generator):
    x = torch.rand(50, 2, 3, 3, generator=generator)
    free = torch.ones(2, 3, 3)
    free[1] = 0
    victim = Victim(lambda p: p.flatten(1), 0.0, 1.0, free=free)
    ball = BALLS[norm](0.3)
    for moved in (ball.start(x, generator, victim), ball.inside(x + torch.randn_like(x), x, victim)):
        assert (ball.distance(moved, x) <= 0.3 + 1e-6).all()
        assert float(moved.min()) >= 0
        assert float(moved.max()) <= 1
        assert torch.equal(moved[:, 1], x[:, 1])
        assert (moved[:, 0] != x[:, 0]).any()


@pytest.mark.parametrize("norm", BALLS)
def test_a_value_outside_the_box_may_come_nearer_and_not_go_further(norm):
    x = torch.tensor([[-0.5, 0.5], [1.5, 0.5]], dtype=torch.float64)
    victim = Victim(lambda p: p, 0.0, 1.0)
    ball = BALLS[norm](0.2)
    nearer = ball.inside(x + torch.tensor([[0.1, 0.0], [-0.1, 0.0]]), x, victim)
    assert nearer[:, 0].tolist() == pytest.approx([-0.4, 1.4])
    further = ball.inside(x + torch.tensor([[-0.1, 0.0], [0.1, 0.0]]), x, victim)
    assert further[:, 0].tolist() == pytest.approx([-0.5, 1.5])


def test_steps_and_lengths_by_hand():
    slope = torch.tensor([[3.0, -4.0]])
    assert Linf(1.0).unit(slope).tolist() == [[1.0, -1.0]]
    assert L2(1.0).unit(slope)[0].tolist() == pytest.approx([0.6, -0.8])
    assert L2(1.0).unit(torch.zeros(1, 2)).tolist() == [[0.0, 0.0]]
    assert L2(1.0).shrink(slope, 2.5)[0].tolist() == pytest.approx([1.5, -2.0])
    assert L2(1.0).shrink(slope, 9.0).tolist() == slope.tolist()
    assert Linf(1.0).distance(slope, torch.zeros(1, 2)).item() == 4
    assert L2(1.0).distance(slope, torch.zeros(1, 2)).item() == 5


@pytest.mark.parametrize("eps", [0.0, -1.0, float("inf"), float("nan")])
def test_a_budget_is_a_finite_distance(eps):
    with pytest.raises(SettingError, match="finite distance above 0"):
        Linf(eps)
