"""Manifold mixup: every place is drawn, the blend is right there, refusals."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from temperance import Recipe
from temperance.records.errors import RecipeError
from temperance.regularizers.mixing.manifold_mixup import ManifoldMixUp


def test_each_place_is_drawn_about_equally_and_once_per_step() -> None:
    model = _net()
    counts = [0, 0, 0]
    session = _attach(ManifoldMixUp(2.0), model)
    inputs: list[Tensor] = []
    model[0].register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
    acts: list[tuple[Tensor, Tensor]] = []
    for place in (1, 3):
        # our hook runs before this one and changes the output of the activation
        model[place].register_forward_hook(lambda _, given, out: acts.append((given[0].relu(), out)))
    x, y = torch.randn(12, 4), torch.randint(0, 3, (12,))
    for _ in range(300):
        inputs.clear()
        acts.clear()
        session.loss((x, y))
        changed = [not torch.equal(inputs[0], x), *(not torch.equal(a, b) for a, b in acts)]
        assert sum(changed) == 1, changed
        counts[changed.index(True)] += 1
        session.steps += 1
    assert all(70 < count < 130 for count in counts), counts


def test_the_blend_in_a_hidden_layer_is_that_of_the_targets() -> None:
    # The head is the identity and the hidden layer one-hot, so the outputs show partner and share.
    model = nn.Sequential(nn.Identity(), nn.ReLU())
    model.register_parameter("unused", nn.Parameter(torch.zeros(())))
    x, targets = torch.eye(6), torch.arange(6)
    passed = (
        Recipe(ManifoldMixUp(2.0, inputs=False))
        .attach(
            model,
            torch.optim.SGD(model.parameters(), lr=0.1),
            loss=lambda out, y: out[torch.arange(6), y] + model.unused,
        )
        .step((x, targets))
    )
    rows = passed.outputs.detach()
    share = float(rows.diagonal().min())
    partner = torch.stack([row.scatter(0, torch.tensor(i), -1).argmax() for i, row in enumerate(rows)])
    moved = rows.diagonal() < 1
    assert 0 < share < 1
    assert torch.allclose(rows.sum(1), torch.ones(6))
    assert torch.allclose(rows[moved, partner[moved]], torch.tensor(1 - share))
    fixed = 6 - int(moved.sum())
    # share·out[y] + (1 − share)·out[y_partner], averaged
    expected = (int(moved.sum()) * (share**2 + (1 - share) ** 2) + fixed) / 6
    assert float(passed.loss.detach()) == pytest.approx(expected, abs=1e-6)


def test_alpha_zero_is_the_plain_loss() -> None:
    x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
    plain = _attach(None, _net()).loss((x, y))
    assert torch.equal(_attach(ManifoldMixUp(0.0), _net()).loss((x, y)).detach(), plain.detach())


def test_places_are_checked() -> None:
    with pytest.raises(RecipeError, match="no activation module"):
        _attach(ManifoldMixUp(), nn.Sequential(nn.Linear(4, 3)))

    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.act, self.unused, self.head = nn.ReLU(), nn.Tanh(), nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.act(x.reshape(-1)).reshape(x.shape))

    for at, said in (("act", "one row for each"), ("unused", "did not run")):
        session = _attach(ManifoldMixUp(at=at, inputs=False), Flat())
        with pytest.raises(RecipeError, match=said):
            session.step((torch.randn(8, 4), torch.randint(0, 3, (8,))))


def _net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))


def _attach(one: ManifoldMixUp | None, model: nn.Module):
    recipe = Recipe() if one is None else Recipe(one)
    return recipe.attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=functional.cross_entropy)
