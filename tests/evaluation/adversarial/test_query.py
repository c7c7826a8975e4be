import pytest
import torch

from temperance.evaluation.adversarial.ball import BALLS, Linf
from temperance.evaluation.adversarial.query import chance, search, share_at
from temperance.evaluation.adversarial.victim import Victim


@pytest.mark.parametrize("norm", BALLS)
def test_search_finds_more_than_chance_and_never_asks_for_slopes(digits, norm):
    net, x, y = digits
    victim = Victim(net, 0.0, 1.0, "none")
    right = ~victim.wrong(x, y)
    x, y = x[right][:60], y[right][:60]
    ball = BALLS[norm]({"Linf": 0.12, "L2": 0.8}[norm])
    found = search(victim, x, y, ball, queries=150, generator=torch.Generator().manual_seed(0))
    lucky = chance(victim, x, y, ball, draws=20, generator=torch.Generator().manual_seed(0))
    assert found.broken.sum() > lucky.broken.sum()
    assert victim.tally.slopes == 0
    assert (ball.distance(found.points, x) <= ball.eps + 1e-5).all()
    assert victim.wrong(found.points, y)[found.broken].all()
    assert victim.wrong(lucky.points, y)[lucky.broken].all()


def test_on_a_linear_model_search_comes_near_the_exact_answer(two_classes, generator):
    distance = two_classes.distance(1)
    eps = float(distance.median())
    found = search(Victim(two_classes), two_classes.x, two_classes.y, Linf(eps), queries=300, generator=generator)
    assert not (found.broken & (distance > eps)).any()
    assert found.broken.sum() >= 0.95 * (distance < eps).sum()


def test_fixed_columns_are_not_moved(two_classes, generator):
    free = torch.tensor([1.0, 0, 0, 0, 0, 1], dtype=torch.float64)
    victim = Victim(two_classes, free=free)
    for attack, spent in ((search, {"queries": 20}), (chance, {"draws": 5})):
        found = attack(victim, two_classes.x, two_classes.y, Linf(0.5), generator=generator, **spent)
        assert torch.equal(found.points[:, 1:5], two_classes.x[:, 1:5])


def test_windows_shrink():
    shares = [share_at(q, 1000) for q in (1, 2, 6, 21, 999)]
    assert shares[0] == 0.8
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] == 0.8 / 2**9
