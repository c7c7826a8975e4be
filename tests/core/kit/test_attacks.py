"""Worst-case inputs: the box, the steps, and that searching leaves no trace."""

import pytest
import torch
from torch import nn

from temperance.core.batch import ANSWERS_ONLY, Batch, Pass
from temperance.core.kit.attacks import (
    Attack,
    Box,
    Near,
    climb,
    divergence,
    divergence_at,
    floating,
    search_mode,
    slopes,
    starts,
    straight_through,
    within,
)
from temperance.core.leaves import Leaves
from temperance.core.nest import with_floating
from temperance.core.regularizer import Strengths
from temperance.records.errors import RecipeError, SettingError

EPS = torch.tensor(0.2, dtype=torch.float64)


def test_limits_by_hand():
    x = torch.tensor([[0.1, 0.5, 0.95]])
    low, high = Box("T", 0.0, 1.0, fixed=(1,)).around(x, EPS)
    assert torch.allclose(low, torch.tensor([[0.0, 0.5, 0.75]]))
    assert torch.allclose(high, torch.tensor([[0.3, 0.5, 1.0]]))


def test_a_value_outside_may_only_come_nearer():
    low, high = Box("T", 0.0, 1.0).around(torch.tensor([[1.5, -0.1]]), EPS)
    assert torch.allclose(low, torch.tensor([[1.3, -0.1]]))
    assert torch.allclose(high, torch.tensor([[1.5, 0.1]]))


def test_bounds_by_channel():
    x = torch.zeros(2, 2, 3, 3)
    low, high = Box("T", (-0.1, -1.0), (0.3, 0.1)).around(x, EPS)
    assert float(low[:, 0].min()) == pytest.approx(-0.1)
    assert float(low[:, 1].min()) == pytest.approx(-0.2)
    assert float(high[:, 1].max()) == pytest.approx(0.1)


def test_bounds_that_fit_nothing():
    with pytest.raises(SettingError, match="low lies below high"):
        Box("T", 1.0, 0.0)
    with pytest.raises(RecipeError, match="3 columns"):
        Box("T", (0.0, 0.0, 0.0)).around(torch.zeros(1, 2), EPS)
    with pytest.raises(RecipeError, match="all columns"):
        Box("T", fixed=(0, 1)).around(torch.zeros(1, 2), EPS)


def test_both_executors_give_the_slope_and_the_climb_of_a_known_function():
    point = [torch.tensor([[1.0, -2.0]])]
    for solo in (True, False):
        (up,) = slopes(lambda p: (p[0] ** 2).sum(), point, solo=solo)
        assert torch.equal(up, torch.tensor([[2.0, -4.0]]))
        limits = [Box("T").around(point[0], EPS)]
        (far,) = climb(lambda p: (p[0] ** 2).sum(), point, limits, EPS / 2, 5, solo=solo)
        assert torch.allclose(far, torch.tensor([[1.2, -2.2]]))


def test_starts_lie_within_the_limits_and_differ_by_key():
    x = [torch.rand(50, 4)]
    near = Near(x, Box("T", 0.0, 1.0, (2,)), EPS, True)
    one, two = starts(near, 1)[0], starts(near, 2)[0]
    assert not torch.equal(one, two)
    assert torch.equal(one[:, 2], x[0][:, 2])
    assert torch.equal(within([one], near.limits)[0], one)


def test_an_attack_climbs_alike_with_the_strength_as_a_number_and_as_a_tensor():
    batch, found = Batch(torch.tensor([[0.5, 0.9]]), torch.zeros(1)), []
    attack = Attack(Box("T", 0.0, 1.0), 3, 0.5)
    for mirror in ({"eps": 0.2}, None):
        near = attack.near(batch, Strengths({"eps": EPS}, address="t", mirror=mirror))
        found += attack.climb(lambda p: p[0].sum(), near.xs, near)
    assert torch.equal(found[0], found[1])
    assert torch.allclose(found[0], torch.tensor([[0.7, 1.0]]))


def test_an_attack_checks_its_settings():
    with pytest.raises(SettingError, match="T got steps=0"):
        Attack(Box("T"), 0)
    with pytest.raises(SettingError, match=r"stride=2\.5"):
        Attack(Box("T"), 1, 2.5)


def test_the_slopes_of_the_divergence_are_those_of_kl_and_no_loss_is_asked_for():
    weight, asked = torch.randn(3, 4, dtype=torch.float64), []

    def inner(params, buffers, batch, key):
        asked.append(batch.targets is ANSWERS_ONLY)
        return Pass(torch.zeros(()), batch.inputs @ weight.T, {}, {}, {})

    x = torch.randn(6, 4, dtype=torch.float64)
    there = [x + 0.3 * torch.randn(6, 4, dtype=torch.float64)]
    value = divergence_at(inner, Leaves((), (), owned=True), {}, Batch(x, torch.zeros(6)), 0, "T")
    (up,) = slopes(value, there, solo=True)
    (kl,) = slopes(
        lambda p: divergence((x @ weight.T).log_softmax(1), (p[0] @ weight.T).log_softmax(1)).sum(), there, solo=True
    )
    assert torch.allclose(up, kl, atol=1e-12)
    assert all(asked)


def test_whole_numbers_stay():
    inputs = {"numeric": torch.ones(2, 1), "codes": torch.tensor([[1], [2]])}
    new = with_floating(inputs, [torch.zeros(2, 1)])
    assert torch.equal(new["codes"], inputs["codes"])
    assert float(new["numeric"].sum()) == 0
    with pytest.raises(RecipeError, match="no floating"):
        floating({"codes": inputs["codes"]}, "T")


def test_carried_inputs_have_the_numbers_of_one_and_the_slopes_of_the_other():
    x = torch.tensor([3.0], requires_grad=True)
    moved = straight_through(x, [torch.tensor([5.0])])
    (moved**2).sum().backward()
    assert float(moved.detach()) == 5.0
    assert float(x.grad) == 10.0


def test_calm_puts_every_mode_back():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout(), nn.GRU(2, 2)).train()
    model[2].eval()
    with search_mode(model, 0):
        assert [m.training for m in model] == [False, False, False, True]
    assert [m.training for m in model] == [True, True, False, True]
