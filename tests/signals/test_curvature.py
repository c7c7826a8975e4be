"""The largest eigenvalue of the Hessian against torch.linalg on a small net."""

import pytest
import torch
from torch import nn
from torch.func import functional_call

from temperance import Recipe
from temperance.core.batch import Batch
from temperance.core.leaves import Leaves
from temperance.signals.curvature import Curvature, largest


def test_equals_the_eigenvalue_of_the_whole_hessian_on_a_net_of_fifty_parameters():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))  # 51 parameters
    batches = [Batch(torch.randn(n, 4), torch.randint(0, 3, (n,))) for n in (20, 12)]
    loss = nn.CrossEntropyLoss(reduction="none")
    session = Recipe().attach(
        model, torch.optim.SGD(model.parameters(), lr=0.0), loss=loss, signals=[Curvature(iterations=200)]
    )
    for batch in batches:
        session.step(batch)
    got = session.validate(batches)["lambda_max"]

    names = [n for n, _ in model.named_parameters()]
    sizes = [p.numel() for p in model.parameters()]
    inputs, targets = torch.cat([b.inputs for b in batches]), torch.cat([b.targets for b in batches])

    def whole(flat):
        parts = flat.split(sizes)
        params = {n: part.view_as(p) for n, part, p in zip(names, parts, model.parameters(), strict=True)}
        return loss(functional_call(model, params, (inputs,)), targets).mean()

    flat = torch.cat([p.detach().flatten() for p in model.parameters()])
    hessian = torch.autograd.functional.hessian(whole, flat)
    assert got == pytest.approx(float(torch.linalg.eigvalsh(hessian)[-1]), rel=0.01)


@pytest.mark.parametrize("diagonal", [(5.0, 1.0, -2.0), (3.0, 1.0, -7.0), (-1.0, -2.0, -9.0)])
def test_the_algebraically_largest_is_found_also_beside_a_larger_negative_one(diagonal):
    scale = torch.tensor(diagonal)
    like = Leaves.of({"w": torch.zeros(3)}, owned=True)
    found = largest(lambda v: v.like([v["w"] * scale], owned=True), like, 500, 1e-7)
    assert found == pytest.approx(max(diagonal), abs=1e-3)


def test_a_flat_loss_has_none(probe):
    like = Leaves.of({"w": torch.zeros(3)}, owned=True)
    assert largest(lambda v: v.like([0 * v["w"]], owned=True), like, 5, 1e-3) == 0.0
    assert Curvature().measure(probe())["lambda_max"] != Curvature().measure(probe())["lambda_max"]


def test_attention_and_a_gru_have_second_derivatives():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.attend = nn.MultiheadAttention(4, 2, batch_first=True)
            self.gru, self.head = nn.GRU(4, 3, batch_first=True), nn.Linear(3, 2)

        def forward(self, x):
            return self.head(self.gru(self.attend(x, x, x, need_weights=False)[0])[0][:, -1])

    torch.manual_seed(0)
    model = Net()
    batch = Batch(torch.randn(5, 3, 4), torch.randint(0, 2, (5,)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    session = Recipe().attach(
        model, optimizer, loss=nn.CrossEntropyLoss(reduction="none"), signals=[Curvature(iterations=3)]
    )
    session.step(batch)
    assert session.validate([batch])["lambda_max"] > 0
