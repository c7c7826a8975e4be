"""RegMixup: sum and official mode, statistics, ends."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from temperance import Recipe
from temperance.core.batch import Batch, measure
from temperance.core.random import fold
from temperance.records.errors import SettingError
from temperance.regularizers.mixing.regmixup import RegMixUp, mix

X, Y = torch.randn(9, 4, generator=torch.Generator().manual_seed(1)), torch.arange(9) % 3


def test_the_parts_of_the_loss() -> None:
    model = _net()
    session = _attach(RegMixUp(1.0), model)
    key = fold(fold(0, 0), "regmixup")
    mixed = mix(Batch(X, Y), 20.0, key)
    clean = functional.cross_entropy(model(X), Y)
    blended = measure(functional.cross_entropy, model(mixed.inputs), mixed)
    assert float(session.loss((X, Y)).detach()) == pytest.approx(float((clean + blended).detach()), rel=1e-6)
    assert 0.2 < float(mixed.targets.share) < 0.8


def test_official_is_half_the_sum() -> None:
    total, half = (float(_attach(RegMixUp(mode=m), _net()).loss((X, Y)).detach()) for m in ("sum", "official"))
    assert half == pytest.approx(total / 2, rel=1e-6)


def test_weight_zero_is_the_plain_loss_with_one_pass() -> None:
    model = _net()
    calls = []
    model.register_forward_hook(lambda *_: calls.append(1))
    loss = _attach(RegMixUp(0.0), model).loss((X, Y))
    assert calls == [1]
    assert torch.equal(loss.detach(), functional.cross_entropy(model(X), Y).detach())


def test_running_statistics_are_those_of_the_clean_pass() -> None:
    model, plain = (nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 3)) for _ in range(2))
    _attach(RegMixUp(), model).step((X, Y))
    plain(X)
    assert torch.equal(model[0].running_mean, plain[0].running_mean)


def test_settings_are_checked() -> None:
    with pytest.raises(SettingError, match="mode"):
        RegMixUp(mode="half")  # type: ignore[arg-type]


def _net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))


def _attach(one: RegMixUp, model: nn.Module):
    return Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=functional.cross_entropy)
