import pytest
import torch
from torch import nn

from temperance.core.kit.sites import change_output, hold, named, of_type, together
from temperance.records.errors import RecipeError
from temperance.testing.problems import PROBLEMS


def test_modules_by_pattern():
    model = PROBLEMS["transformer"].model()
    assert [name for name, _ in named(model, "blocks.*.branch", "Dropout")] == ["blocks.0.branch", "blocks.1.branch"]
    with pytest.raises(RecipeError, match="Did you mean 'entry'"):
        named(model, "entri", "Dropout")


def test_modules_by_type():
    found = list(of_type(PROBLEMS["convnet"].model(), (nn.BatchNorm2d,)))
    assert len(found) == 2
    assert all(getattr(parent, name) is child for parent, name, child in found)


def test_changes_act_in_training_only_and_are_undone_last_first():
    layer, order = nn.Identity(), []
    undo = together(
        [
            change_output(layer, lambda _, out: out + 1),
            hold(layer, "p", torch.tensor(2.0)),
            lambda: order.append(1),
        ]
    )
    assert layer(torch.tensor(1.0)).item() == 2.0
    assert layer.eval()(torch.tensor(1.0)).item() == 1.0
    assert layer.p.item() == 2.0
    assert layer.state_dict() == {}
    undo()
    assert order == [1]
    assert not hasattr(layer, "p")
    assert layer.train()(torch.tensor(1.0)).item() == 1.0
