"""What no loss may be: a class, a text, a number without a tensor, a number cut off from the outputs."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

import temperance as t
from temperance.core.convention import convention_of
from temperance.records.errors import RecipeError, SettingError

X, Y = torch.randn(6, 5), torch.randint(0, 3, (6,))


def attach(recipe, model, loss):
    return t.Recipe(*recipe).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=loss)


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss, "cross_entropy", 3])
def test_what_is_no_loss_is_refused(loss):
    with pytest.raises(SettingError, match="attach got loss="):
        attach([], nn.Linear(5, 3), loss)


@pytest.mark.parametrize(
    "wrap",
    [lambda v: v.item(), lambda v: (v, {"a": 1}), lambda v: {"loss": v}, lambda v: None, lambda v: v.detach().numpy()],
)
def test_a_loss_that_gives_no_tensor_is_refused(wrap):
    with pytest.raises(RecipeError, match="a loss gives one tensor"):
        attach([t.LabelSmoothing()], nn.Linear(5, 3), lambda o, y: wrap(F.cross_entropy(o, y))).step((X, Y))


def test_a_complex_loss_is_refused():
    session = attach([t.WeightDecay(0.1)], nn.Linear(5, 3), lambda o, y: torch.fft.fft(o).sum())
    with pytest.raises(RecipeError, match=r"a complex number.*value\.abs"):
        session.step((X, Y))


def test_a_loss_cut_off_from_the_outputs_is_refused_though_a_technique_would_train():
    session = attach([t.LabelSmoothing()], nn.Linear(5, 3), lambda o, y: F.cross_entropy(o.detach(), y))
    with pytest.raises(RecipeError, match="does not depend on the model's outputs"):
        session.step((X, Y))


def test_a_loss_of_nothing_may_be_a_constant():
    session = attach([t.L2(0.1)], nn.Linear(5, 3), lambda o, y: torch.zeros(()))
    assert session.step((X, Y)).loss > 0


class OwnFocal(nn.CrossEntropyLoss):
    """A subclass that takes the mean over rows, whatever the weights of the classes."""

    def forward(self, outputs, labels):
        plain = F.cross_entropy(outputs, labels, weight=self.weight, reduction="none")
        return ((1 - torch.exp(-plain)) ** 2 * plain).mean()


def test_micro_batches_of_a_subclass_of_torchs_loss_are_shared_as_it_counts():
    loss = OwnFocal(weight=torch.tensor([1.0, 5.0, 0.2]))
    assert convention_of(loss).kind == "unknown"
    nets = [nn.Linear(5, 3), nn.Linear(5, 3)]
    nets[1].load_state_dict(nets[0].state_dict())
    attach([], nets[0], loss).gradients([(X[:2], Y[:2]), (X[2:], Y[2:])])
    attach([], nets[1], loss).gradients((X, Y))
    torch.testing.assert_close(nets[0].weight.grad, nets[1].weight.grad)
