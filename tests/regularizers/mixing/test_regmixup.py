"""RegMixup: sum and official mode, statistics, ends."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from temperance import Recipe
from temperance.core.batch import Batch, measure
from temperance.core.random import fold
from temperance.records.errors import SettingError
from temperance.regularizers.mixing import regmixup
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


def test_official_mode_against_the_authors_code(monkeypatch: pytest.MonkeyPatch) -> None:
    # Loss and gradients from one training step of github.com/FrancescoPinto/RegMixup, commit fd78465, in float64, with
    # its own draw of λ and of the partners (NumPy's and torch's seed 0).
    share, order = 0.5706809442009638, torch.tensor([0, 1, 3, 2])
    monkeypatch.setattr(regmixup, "beta", lambda *_: torch.tensor(share, dtype=torch.float64))
    monkeypatch.setattr(regmixup, "permutation", lambda *_: order)
    model = nn.Linear(2, 3)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.5, -0.25], [0.1, 0.3], [-0.4, 0.2]]))
        model.bias.copy_(torch.tensor([0.1, 0.0, -0.1]))
    model.double()
    x = torch.tensor([[1.0, 2.0], [-0.5, 0.25], [0.75, -1.5], [2.0, 0.0]], dtype=torch.float64)
    loss = _attach(RegMixUp(1.0, alpha=20.0, mode="official"), model).loss((x, torch.tensor([0, 2, 1, 0])))
    loss.backward()
    weight = [
        [-0.18728507448251297, -0.5021968598514187],
        [-0.018997585093450783, 0.47552902590812673],
        [0.2062826595759637, 0.026667833943291874],
    ]
    bias = [-0.03479899561314581, 0.07505554554344843, -0.040256549930302685]
    assert float(loss.detach()) == pytest.approx(1.0553978475085006, abs=1e-6)
    assert torch.allclose(model.weight.grad, torch.tensor(weight, dtype=torch.float64), atol=1e-6)
    assert torch.allclose(model.bias.grad, torch.tensor(bias, dtype=torch.float64), atol=1e-6)


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
