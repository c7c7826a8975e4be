import pytest
import torch

from temperance.evaluation.adversarial.ball import L2, Linf
from temperance.evaluation.adversarial.gradient import apgd, checks, fixed_steps
from temperance.evaluation.adversarial.losses import margin
from temperance.evaluation.adversarial.victim import Victim


@pytest.mark.parametrize(("ball", "dual"), [(Linf, 1), (L2, 2)])
def test_on_a_linear_model_what_is_broken_is_known_exactly(two_classes, generator, ball, dual):
    linear = two_classes
    distance = linear.distance(dual)
    eps = float(distance.median())
    sure = (distance - eps).abs() > 1e-3 * eps
    victim, near = Victim(linear), ball(eps)
    start = near.start(linear.x, generator, victim)
    found = apgd(victim, linear.x, linear.y, near, margin, steps=50, start=start)
    assert torch.equal(found.broken[sure], (distance < eps)[sure])
    assert victim.wrong(found.points, linear.y)[found.broken].all()
    assert (near.distance(found.points, linear.x) <= eps + 1e-9).all()


def test_checkpoints_of_the_paper():
    assert checks(100) == [22, 41, 57, 70, 80, 87, 93, 99, 105]
    assert all(a < b for a, b in zip(checks(20), checks(20)[1:], strict=False))


def test_steps_of_one_length_reach_the_edge(two_classes):
    x, y = two_classes.x, two_classes.y
    victim, near = Victim(two_classes), Linf(0.2)
    found = fixed_steps(victim, x, y, near, margin, steps=1, stride=1.0, start=x)
    truth = two_classes.distance(1) < 0.2
    assert torch.equal(found.broken, truth)  # one step along the sign is the exact answer of a linear model
    assert near.distance(found.points, x)[~truth].tolist() == pytest.approx([0.2] * int((~truth).sum()))


def test_the_given_points_are_left_alone_and_the_same_start_gives_the_same(linear, generator):
    before = linear.x.clone()
    victim, near = Victim(linear, -1.0, 1.0), Linf(0.3)
    start = near.start(linear.x, generator, victim)
    one, two = (apgd(victim, linear.x, linear.y, near, margin, steps=10, start=start.clone()) for _ in range(2))
    assert torch.equal(linear.x, before)
    assert torch.equal(one.points, two.points)
