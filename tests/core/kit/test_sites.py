from collections import OrderedDict

import pytest
import torch
from torch import nn

from temperance import Dropout, Recipe
from temperance.core.kit.sites import change_output, named, of_type
from temperance.core.traces import hold, together
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


class Answers(nn.Module):
    """A layer of transformers: it gives a tuple, or names with parts that are no tensors."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def forward(self, x):
        return (x, None, [x]) if self.kind == "tuple" else OrderedDict(state=x, cache=None)


@pytest.mark.parametrize("kind", ["tuple", "mapping"])
def test_of_an_answer_of_several_parts_the_first_tensor_is_changed_and_the_others_stay(kind):
    module, x = Answers(kind), torch.ones(2, 3)
    undo = change_output(module, lambda owner, out: out * 3)
    got = module(x)
    if kind == "tuple":
        assert isinstance(got, tuple)
        first, others = got[0], got[1:]
        assert others[0] is None
        assert others[1][0] is x
    else:
        assert isinstance(got, OrderedDict)
        first = got["state"]
        assert got["cache"] is None
    assert torch.equal(first, 3 * x)
    undo()
    assert not module._forward_hooks


def test_dropout_on_an_lstm_by_name_drops_its_outputs_and_not_its_state():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.head = nn.LSTM(4, 8, batch_first=True), nn.Linear(8, 2)

        def forward(self, x):
            out, (hidden, _) = self.lstm(x)
            self.seen = out, hidden
            return self.head(out[:, -1])

    net = Net()
    session = Recipe(Dropout(0.5, at="lstm")).attach(
        net, torch.optim.SGD(net.parameters(), lr=0.1), loss=nn.functional.cross_entropy
    )
    session.step((torch.randn(6, 3, 4), torch.arange(6) % 2))
    out, hidden = net.seen
    assert (out == 0).any()
    assert not (hidden == 0).any()
    session.finish()
