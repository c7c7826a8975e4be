"""Concrete dropout: the two terms, the soft mask, learned rates in both executors."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from temperance import Population, Recipe
from temperance.core.optimizers import SGD
from temperance.records.errors import RecipeError, SettingError
from temperance.regularizers.units.concrete_dropout import ConcreteDropout, learned, penalty, soft_mask


def test_the_penalty_against_numpy() -> None:
    weights = [np.random.default_rng(0).normal(size=s) for s in ((3, 4), (3,))]
    p, wr, dr = 0.2, 1e-3, 2e-2
    size = sum((w**2).sum() for w in weights)
    expected = wr * size / (1 - p) + dr * 4 * (p * math.log(p) + (1 - p) * math.log(1 - p))
    got = penalty(torch.tensor(p, dtype=torch.float64), torch.tensor(size), wr, dr, 4)
    assert float(got) == pytest.approx(expected, abs=1e-12)


def test_the_soft_mask_drops_about_p_and_keeps_the_mean() -> None:
    u = torch.rand(200_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mask = soft_mask(torch.tensor(math.log(0.3 / 0.7), dtype=torch.float64), u)
    assert float((mask * 0.7 < 0.5).double().mean()) == pytest.approx(0.3, abs=0.01)
    assert float(mask.mean()) == pytest.approx(1.0, abs=0.02)


def test_rows_set_both_strengths() -> None:
    session = _attach(ConcreteDropout(rows=500, length=1e-2), _net())
    assert session.strengths["concrete_dropout.wr"] == pytest.approx(1e-4 / 500)
    assert session.strengths["concrete_dropout.dr"] == pytest.approx(2 / 500)


def test_rates_are_trained_and_taken_out() -> None:
    model = _net()
    names = [name for name, _ in model.named_parameters()]
    session = _attach(ConcreteDropout(wr=0.0, dr=1.0), model)
    before = learned(model)
    for _ in range(20):
        passed = session.step((torch.randn(8, 4), torch.randn(8, 1)))
    after = learned(model)
    assert before.keys() == after.keys() == {"0", "2"}
    assert all(before[name] < after[name] < 0.5 for name in before)
    assert float(passed.notes["concrete_dropout.p"]) == pytest.approx(np.mean(list(after.values())), rel=0.2)
    session.finish()
    assert [name for name, _ in model.named_parameters()] == names


def test_the_population_trains_the_rates_too() -> None:
    recipe = Recipe(ConcreteDropout(wr=0.0, dr=1.0))
    together = Population(recipe, _net(), nn.MSELoss(), SGD(0.1), 3, mode="vmap")
    state = together.begin(strengths={"concrete_dropout.dr": [0.01, 0.1, 1.0]})
    start = state.params["0.temperance_logit"].clone()
    for _ in range(5):
        state, _ = together(state, (torch.randn(8, 4), torch.randn(8, 1)))
    moved = state.params["0.temperance_logit"] - start
    assert moved.shape == (3,)
    assert float(moved[2]) > float(moved[1]) > float(moved[0])


@pytest.mark.slow
def test_the_learned_rate_falls_with_the_count_of_rows() -> None:
    rates = [_toy(rows) for rows in (100, 1000, 10_000)]
    assert rates[0] > rates[1] > rates[2], rates


def test_limits() -> None:
    with pytest.raises(SettingError, match="rows"):
        ConcreteDropout(rows=0)
    model = nn.Conv2d(1, 1, 3)
    with pytest.raises(RecipeError, match="finds no layer"):
        _attach(ConcreteDropout(), nn.Sequential(model))


def _net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))


def _attach(one: ConcreteDropout, model: nn.Module):
    return Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=nn.MSELoss())


def _toy(rows: int) -> float:
    """Mean rate of the hidden layers after training on y = 2x + 8 + ε with a learned variance."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(rows, 1, generator=generator)
    y = 2 * x + 8 + torch.randn(rows, 1, generator=generator)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 2))

    def loss(out, target):
        return (torch.exp(-out[:, 1:]) * (target - out[:, :1]) ** 2 + out[:, 1:]).squeeze(1)

    session = Recipe(ConcreteDropout(rows=rows, at="[24]")).attach(
        model, torch.optim.Adam(model.parameters(), lr=5e-3), loss=loss
    )
    for _ in range(1200):
        rows_now = torch.randint(0, rows, (64,), generator=generator)
        session.step((x[rows_now], y[rows_now]))
    return float(np.mean(list(learned(model).values())))


def test_a_parametrized_layer_has_a_rate_too() -> None:
    net = nn.Sequential(torch.nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)))
    session = Recipe(ConcreteDropout(rows=10)).attach(
        net, torch.optim.SGD(net.parameters(), lr=0.1), loss=nn.CrossEntropyLoss()
    )
    before = learned(net)
    session.step((torch.randn(6, 4), torch.randint(0, 3, (6,))))
    assert learned(net) != before


@pytest.mark.parametrize(
    "built",
    [
        lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda k: 0.9**k),
        lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 1.0, 9),
    ],
    ids=["lambda", "one cycle"],
)
def test_a_scheduler_built_before_goes_on_and_moves_the_rates_of_the_layers_too(built) -> None:
    net = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    scheduler = built(optimizer)
    session = Recipe(ConcreteDropout(rows=10)).attach(net, optimizer, loss=nn.CrossEntropyLoss())
    for _ in range(3):
        session.step((torch.randn(6, 4), torch.randint(0, 3, (6,))))
        scheduler.step()
    group = next(g for g in optimizer.param_groups if any(p is net.temperance_logit for p in g["params"]))
    assert group["lr"] == scheduler.get_last_lr()[0]
