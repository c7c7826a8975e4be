"""PGD training: the rows stay near and in the box, fixed columns stay, the mode and the statistics are left alone."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from temperance import TRADES, VAT, FGSMTraining, PGDTraining, Recipe
from temperance.records.errors import SettingError

ATTACKS = [FGSMTraining, PGDTraining, TRADES, VAT]


def _session(one, model, **settings):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return Recipe(*one).attach(model, optimizer, loss=functional.cross_entropy, **settings)


def _seen(model) -> list[torch.Tensor]:
    rows: list[torch.Tensor] = []
    model.register_forward_pre_hook(lambda _, inputs: rows.append(inputs[0].detach().clone()))
    return rows


@pytest.mark.parametrize("kind", ATTACKS)
def test_every_row_that_the_net_sees_is_near_and_inside(kind):
    torch.manual_seed(0)
    model, eps = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)), 0.3
    low, high = (0.0, 0.1, -1.0, 0.0), (1.0, 0.9, 2.0, 1.0)
    x = torch.rand(20, 4) * 0.8 + 0.1
    session, rows = _session([kind(eps=eps, low=low, high=high, fixed=(3,))], model), _seen(model)
    for _ in range(3):
        session.step((x, torch.arange(20) % 3))
    assert any(not torch.equal(r, x) for r in rows)
    for r in rows:
        assert float((r - x).abs().max()) <= eps + 1e-6
        assert torch.equal(r[:, 3], x[:, 3])
        assert bool((r >= torch.tensor(low) - 1e-6).all())
        assert bool((r <= torch.tensor(high) + 1e-6).all())


@pytest.mark.parametrize("kind", ATTACKS)
def test_the_mode_is_restored_and_statistics_move_once(kind):
    model = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3)).train()
    model[2].eval()
    _session([kind()], model).step((torch.randn(9, 4), torch.arange(9) % 3))
    assert [m.training for m in model] == [True, True, False, True]
    assert int(model[1].num_batches_tracked) == 1


def test_one_step_by_hand():
    model = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.eye(2))
    rows = _seen(model)
    one = PGDTraining(0.1, steps=1, stride=2.0)  # a stride of two reaches the corner from any start
    _session([one], model).step((torch.tensor([[0.5, 0.2]]), torch.tensor([0])))
    assert torch.allclose(rows[-1], torch.tensor([[0.4, 0.3]]))  # away from class 0


def test_more_steps_find_a_larger_loss():
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 3))
    x, y = torch.randn(30, 6), torch.arange(30) % 3
    plain = float(functional.cross_entropy(model(x), y).detach())
    losses = []
    for steps in (1, 10):
        copied = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 3))
        copied.load_state_dict(model.state_dict())
        losses.append(float(_session([PGDTraining(0.3, steps=steps)], copied).step((x, y)).loss.detach()))
    assert plain < losses[0] < losses[1]


def test_settings_out_of_range():
    with pytest.raises(SettingError, match="steps"):
        PGDTraining(steps=0)
    with pytest.raises(SettingError, match="low"):
        PGDTraining(low=1.0, high=0.0)


@pytest.mark.slow
def test_the_order_of_robustness_on_digits():
    from sklearn.datasets import load_digits

    x, y = (torch.as_tensor(part) for part in load_digits(return_X_y=True))
    x, order = x.float() / 16, torch.randperm(len(y), generator=torch.Generator().manual_seed(0))
    train, test = order[:600], order[600:1100]
    shares = {}
    for name, parts in (
        ("plain", []),
        ("fgsm", [FGSMTraining(0.15, low=0.0, high=1.0)]),
        ("pgd", [PGDTraining(0.15, low=0.0, high=1.0)]),
    ):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
        session = Recipe(*parts).attach(
            model, torch.optim.Adam(model.parameters(), 2e-3), loss=functional.cross_entropy
        )
        for epoch in range(30):
            for rows in train[torch.randperm(600, generator=torch.Generator().manual_seed(epoch))].split(100):
                session.step((x[rows], y[rows]))
        shares[name] = _robust(session.finish(), x[test], y[test], 0.15)
    assert shares["plain"] + 0.2 < shares["fgsm"] <= shares["pgd"] + 0.03


def _robust(model, x, y, eps: float) -> float:
    at = x.clone()
    for _ in range(20):
        at.requires_grad_()
        (up,) = torch.autograd.grad(functional.cross_entropy(model(at), y), at)
        at = torch.minimum(torch.maximum(at.detach() + 0.1 * eps * up.sign(), x - eps), x + eps).clamp(0, 1)
    return float((model(at).argmax(1) == y).double().mean())
