import json

import pytest
import torch

from temperance.evaluation.adversarial.ball import Linf
from temperance.evaluation.adversarial.masking import masking, slopes_inside
from temperance.evaluation.adversarial.victim import Victim


class Rounded(torch.autograd.Function):
    @staticmethod
    def forward(_, x):
        return (x * 15).round() / 15

    @staticmethod
    def backward(_, slope):
        return torch.zeros_like(slope)


def look(model, digits, **settings):
    torch.manual_seed(0)
    return masking(Victim(model, 0.0, 1.0), digits[1], digits[2], Linf(0.1), queries=60, **settings)


def names(found):
    return {sign.name for sign in found.shown}


def test_a_plain_model_shows_no_sign(digits):
    found = look(digits[0], digits)
    assert names(found) == set()
    assert found.trustworthy
    assert len(found.signs) == 10
    assert found.accuracies["whole range"] == 0.0
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("make", "signs"),
    [
        (lambda net: lambda x: net(x) * 1000, {"no slopes"}),
        (
            lambda net: lambda x: net(Rounded.apply(x)),
            {"black box is better", "no slopes", "whole range does not break it"},
        ),
        (lambda net: lambda x: net(x + 0.15 * torch.randn_like(x)), {"random answers"}),
    ],
)
def test_broken_slopes_are_noticed(digits, make, signs):
    found = look(make(digits[0]), digits, transfer=False)
    assert signs <= names(found)
    assert not found.trustworthy


def test_probabilities_are_a_soft_sign(digits):
    found = look(lambda x: torch.softmax(digits[0](x), dim=1), digits, transfer=False)
    assert "outputs are probabilities" in names(found)


def test_slopes_inside_are_seen_under_any_name(digits):
    net, x, _ = digits
    from torch.autograd import grad as differentiate

    def repaired(points):
        with torch.enable_grad():
            own = points.detach().requires_grad_()
            (slope,) = differentiate(net(own).logsumexp(1).sum(), own)
        return net(points + 0.01 * slope)

    functional = lambda p: net(p + 0 * torch.func.grad(lambda q: net(q).sum())(p))  # noqa: E731
    assert slopes_inside(Victim(repaired), x).shows
    assert slopes_inside(Victim(functional), x).shows
    assert not slopes_inside(Victim(net), x).shows


def test_without_slopes_the_signs_say_why_they_were_not_looked_for(digits):
    found = masking(Victim(digits[0], 0.0, 1.0, "none"), digits[1], digits[2], Linf(0.1), queries=20)
    silent = {sign.name for sign in found.signs if sign.why_not}
    assert silent == {
        "black box is better", "whole range does not break it", "no slopes", "more breaks less", "one step is better",
        "losses disagree", "transfer is better",
    }  # fmt: skip
    assert found.trustworthy


def test_where_a_part_is_fixed_a_row_need_not_break(two_classes):
    free = torch.zeros(6, dtype=torch.float64)
    free[(two_classes.w[0] - two_classes.w[1]).abs().argmin()] = 1  # the column that matters least
    victim = Victim(two_classes, -3.0, 3.0, free=free)
    x = two_classes.x.clamp(-3, 3)
    y = victim.answer(x)
    whole = masking(victim, x, y, Linf(0.1), queries=20, transfer=False)
    assert "whole range does not break it" in names(whole)  # true, and no sign of hidden slopes
    part = masking(victim, x, y, Linf(0.1), queries=20, transfer=False, complete=False)
    assert part.trustworthy
    assert "is fixed" in part.signs[1].why_not
