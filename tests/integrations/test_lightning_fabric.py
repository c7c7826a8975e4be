"""Lightning Fabric: what ``fabric.setup`` gives attaches as it is."""

import pytest

pytest.importorskip("lightning")

import torch
from lightning import Fabric
from tests.integrations.lightning_nets import Net, apart, loader, plain
from torch.nn import functional as F  # noqa: N812

from temperance import EMA, SAM, Dropout, MixUp, Recipe, WeightDecay

RECIPES = {
    "cocktail": Recipe(Dropout(0.2), MixUp(0.3), WeightDecay(0.1), EMA(0.9)),
    "sam": Recipe(SAM(0.1), Dropout(0.2)),
}
pytestmark = pytest.mark.filterwarnings("ignore")


class Plain(torch.nn.Module):
    """The net without Lightning around it."""

    def __init__(self):
        super().__init__()
        self.net = Net().net

    def forward(self, x):
        return self.net(x)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)


def trained(recipe, kind):
    fabric = Fabric(accelerator="cpu", devices=1)
    fabric.launch()
    net = Plain()
    model, optimizer = fabric.setup(net, net.configure_optimizers())
    session = recipe.attach(
        model, optimizer, loss=F.cross_entropy, epochs=3, steps_per_epoch=6, select=None, fabric=fabric
    )
    for _ in range(3):
        for batch in fabric.setup_dataloaders(loader()):
            if kind == "step":
                session.step(batch)
            else:
                fabric.backward(session.loss(batch))
                session.update()
                optimizer.zero_grad()
    session.finish()
    return net, session


@pytest.mark.parametrize("name", RECIPES)
def test_set_up_objects_train_to_the_plain_loops_weights(name):
    net, session = trained(RECIPES[name], "step")
    other, _ = plain(RECIPES[name], net=Plain())
    assert apart(net, other) < 1e-12
    assert session.steps == 18


def test_a_loop_that_calls_fabric_backward():
    net, _ = trained(RECIPES["cocktail"], "own")
    assert apart(net, plain(RECIPES["cocktail"], net=Plain())[0]) < 1e-12


def test_names_in_checkpoints_are_those_of_the_model_inside():
    fabric = Fabric(accelerator="cpu", devices=1)
    net = Plain()
    model, optimizer = fabric.setup(net, net.configure_optimizers())
    session = Recipe(Dropout(0.1)).attach(model, optimizer, loss=F.cross_entropy, fabric=fabric)
    assert set(session.state_dict()["model"]) == set(Plain().state_dict())
