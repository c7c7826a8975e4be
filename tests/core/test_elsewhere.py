import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from temperance.core.elsewhere import elsewhere
from temperance.core.leaves import Leaves


def leaves(model: nn.Module, fill: float | None = None) -> Leaves:
    named = dict(model.named_parameters())
    if fill is None:
        return Leaves.of(named, owned=True)
    return Leaves.of({n: torch.full_like(p, fill, requires_grad=True) for n, p in named.items()})


def test_the_module_stands_there_and_comes_back_bit_for_bit() -> None:
    model = nn.Linear(3, 2)
    home, before = leaves(model), [p.clone() for p in model.parameters()]
    storages = [p.data_ptr() for p in model.parameters()]
    with elsewhere(home, leaves(model, 2.0)):
        assert torch.equal(model(torch.ones(1, 3)), torch.full((1, 2), 8.0))
    assert all(torch.equal(p, old) for p, old in zip(model.parameters(), before, strict=True))
    assert [p.data_ptr() for p in model.parameters()] == storages


def test_names_that_are_not_given_stay() -> None:
    model = nn.Linear(3, 2)
    bias = model.bias.clone()
    with elsewhere(leaves(model), Leaves.of({"weight": torch.zeros(2, 3)})):
        assert torch.equal(model(torch.ones(1, 3))[0], bias)


def test_home_changes_nothing() -> None:
    model = nn.Linear(3, 2)
    home = leaves(model)
    with elsewhere(home, home):
        model.weight.data.fill_(1.0)
    assert torch.equal(model.weight, torch.ones(2, 3))


def test_running_statistics_are_put_back_where_it_is_asked_for() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    for kept in (True, False):
        before = model[1].running_mean.clone()
        with elsewhere(leaves(model), leaves(model, 1.0), [model[1]] if kept else ()):
            model(torch.ones(4, 3))
        assert torch.equal(model[1].running_mean, before) == kept


def test_a_fault_on_the_way_in_leaves_the_module_as_it_was() -> None:
    model = nn.Linear(3, 2)
    home, weight = leaves(model), model.weight.clone()
    wrong = Leaves(home.names, [torch.zeros(2, 3), "no tensor"], owned=False)  # type: ignore[list-item]
    with pytest.raises(AttributeError), elsewhere(home, wrong):
        pass
    assert torch.equal(model.weight, weight)


class Symmetric(nn.Module):
    def forward(self, w: torch.Tensor) -> torch.Tensor:
        return w + w.T


def test_parametrized_weights_that_torch_keeps_are_computed_anew() -> None:
    model = nn.Linear(3, 3, bias=False)
    parametrize.register_parametrization(model, "weight", Symmetric())
    with parametrize.cached():
        before = model.weight.clone()
        with elsewhere(leaves(model), leaves(model, 2.0)):
            assert torch.equal(model.weight, torch.full((3, 3), 4.0))
        assert torch.equal(model.weight, before)
