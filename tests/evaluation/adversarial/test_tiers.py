import json

import pytest
import torch

from temperance.evaluation.adversarial.ball import L2, Linf
from temperance.evaluation.adversarial.tiers import TIERS, attack, averaged, is_random, smallest
from temperance.evaluation.adversarial.victim import Victim
from temperance.records.errors import SettingError


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(("ball", "dual"), [(Linf, 1), (L2, 2)])
def test_every_tier_is_exact_on_a_linear_model(linear, two_classes, tier, ball, dual):
    linear = two_classes if tier == "quick" else linear  # of three classes a short attack may choose the wrong rival
    distance = linear.distance(dual)
    eps = float(distance.median())
    sure = (distance - eps).abs() > 1e-3 * eps
    x, y = linear.x[sure][:60], linear.y[sure][:60]
    found = attack(Victim(linear), x, y, ball(eps), tier=tier)
    assert torch.equal(found.survived, (distance > eps)[sure][:60])
    json.dumps(found.to_dict(), allow_nan=False)


def test_only_survivors_go_on_and_wrong_rows_count_as_broken(digits, victim):
    _, x, y = digits
    y = y.clone()
    y[:10] = (victim.answer(x[:10]) + 1) % 10  # wrong before anything is changed
    found = attack(victim, x, y, Linf(0.08), tier="standard", seed=3)
    assert not found.right[:10].any()
    assert not found.survived[:10].any()
    left = int(found.right.sum())
    for one in found.attacks:
        assert one.tried == left
        left -= one.broken
    assert left == int(found.survived.sum())
    assert victim.wrong(found.points, y)[found.right & ~found.survived].all()
    again = attack(victim, x, y, Linf(0.08), tier="standard", seed=3)
    assert torch.equal(found.points, again.points)


def test_a_model_without_slopes_is_asked_for_answers_only(two_classes):
    victim = Victim(two_classes, gradient="none")
    found = attack(victim, two_classes.x, two_classes.y, Linf(0.2), tier="quick")
    assert victim.tally.slopes == 0
    assert [one.name for one in found.attacks] == ["random 20", "search 300"]
    assert not (found.right & ~found.survived & (two_classes.distance(1) > 0.2)).any()


def test_a_random_model_is_averaged_and_not_broken_by_luck(linear):
    noise = torch.Generator().manual_seed(0)
    model = lambda x: linear(x) + 0.3 * torch.randn(len(x), 3, generator=noise, dtype=torch.float64)  # noqa: E731
    assert is_random(Victim(model), linear.x)
    assert not is_random(Victim(linear), linear.x)
    gaps = linear(linear.x).topk(2, dim=1).values
    far = (gaps[:, 0] - gaps[:, 1]) > 1.5
    found = attack(Victim(model), linear.x[far], linear.y[far], Linf(1e-4), tier="quick")
    assert found.random
    assert found.accuracy == 1.0  # 40 single answers of each row would be wrong now and then
    spread = averaged(Victim(model), 20).scores(linear.x) - linear(linear.x)
    assert float(spread.std()) == pytest.approx(0.3 / 20**0.5, rel=0.2)


def test_the_smallest_change_is_an_upper_bound_near_the_exact_one(two_classes):
    x, y = two_classes.x, two_classes.y
    found = attack(Victim(two_classes), x, y, Linf(1.0))
    length = smallest(Victim(two_classes), x, found, y)
    exact = two_classes.distance(1).to(length.dtype)
    broken = ~found.survived
    assert torch.isinf(length[~broken]).all()
    assert (length[broken] >= exact[broken] - 1e-6).all()


def test_what_is_refused(linear):
    with pytest.raises(SettingError, match="Did you mean 'quick'"):
        attack(Victim(linear), linear.x, linear.y, Linf(0.1), tier="quik")
    with pytest.raises(SettingError, match="0 points"):
        attack(Victim(linear), linear.x[:0], linear.y[:0], Linf(0.1))
