"""VAT: the direction against the dominant one of the Hessian, lengths, blindness to labels."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from temperance import VAT, Recipe
from temperance.records.errors import SettingError
from temperance.regularizers.smoothness.vat import unit


def _run(one, loss=functional.cross_entropy, classes=2):
    torch.manual_seed(0)
    model = nn.Linear(3, classes).double()
    rows = []
    model.register_forward_pre_hook(lambda _, inputs: rows.append(inputs[0].detach().clone()))
    x = torch.randn(8, 3, dtype=torch.float64)
    start = model.weight.detach().clone()
    passed = (
        Recipe(one).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=loss).step((x, torch.arange(8) % 2))
    )
    return x, rows[-1], start, passed


def test_for_two_classes_the_worst_direction_is_the_difference_of_their_weights():
    x, moved, weight, _ = _run(VAT(eps=0.5))
    way = weight[0] - weight[1]
    along = (moved - x) @ (way / way.norm())
    assert torch.allclose(along.abs(), torch.full_like(along, 0.5), atol=1e-4)  # Hessian of rank one
    assert torch.allclose((moved - x).norm(dim=1), torch.full((8,), 0.5, dtype=torch.float64))


def test_the_term_is_weight_times_kl():
    _, _, _, passed = _run(VAT(2.0, eps=0.5), loss=lambda out, y: (out * 0).sum(1))
    assert float(passed.loss.detach()) == pytest.approx(2 * float(passed.notes["vat.disagreement"]), abs=1e-12)
    assert float(passed.loss.detach()) > 0


def test_unit_lengths_over_all_leaves_also_for_tiny_slopes():
    one, two = unit([torch.full((2, 3), 1e-30), torch.zeros(2, 1)])
    assert torch.allclose((one.square().sum(1) + two.square().sum(1)), torch.ones(2))
    assert float(unit([torch.zeros(2, 3)])[0].abs().max()) == 0.0


def test_settings_out_of_range():
    with pytest.raises(SettingError, match="rounds"):
        VAT(rounds=0)
