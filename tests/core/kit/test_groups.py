"""Parameter groups with decays of their own, taken over."""

import pytest
import torch
from torch import nn

from temperance import Dropout, Recipe, WeightDecay
from temperance.core.kit.groups import SHARE, TookOver
from temperance.records.errors import RecipeError
from temperance.testing.problems import PROBLEMS

MLP = PROBLEMS["mlp"]


def model():
    torch.manual_seed(9)
    return nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 3)).train()


def groups(net):
    """As fine-tuning scripts build them: no decay on biases and norms, a lower rate and less decay below."""
    decay, rest = [net[3].weight], [net[0].bias, net[3].bias, *net[1].parameters()]
    below = {"params": [net[0].weight], "lr": 0.01, "weight_decay": 0.05}
    return [{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}, below]


def by_hand(kind, steps=6, **settings):
    net = model()
    optimizer = kind(groups(net), lr=0.05, **settings)
    for number in range(steps):
        optimizer.zero_grad()
        MLP.loss(net(MLP.batch(number).inputs), MLP.batch(number).targets).mean().backward()
        optimizer.step()
    return net


def test_adamw_with_groups_trains_as_it_did():
    net = model()
    optimizer = torch.optim.AdamW(groups(net), lr=0.05)
    with pytest.warns(TookOver, match=r"AdamW: 0\.1 for 1 tensors, 0 for 4 tensors, 0\.05 for 1 tensors\."):
        decay = WeightDecay.from_optimizer(optimizer)
    assert decay == WeightDecay(0.1, policy="groups")
    assert Recipe.from_toml(Recipe(decay).to_toml()) == Recipe(decay)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.0, 0.0, 0.0]
    assert [group[SHARE] for group in optimizer.param_groups] == [1.0, 0.0, 0.5]
    session = Recipe(decay).attach(net, optimizer, loss=MLP.loss)
    for number in range(6):
        session.step(MLP.batch(number))
    hand = by_hand(torch.optim.AdamW)
    torch.testing.assert_close(dict(net.state_dict()), dict(hand.state_dict()), rtol=1e-6, atol=1e-8)


def test_the_strength_moves_all_groups_and_no_group_moves_the_strength():
    net = model()
    optimizer = torch.optim.SGD(groups(net), lr=0.05)
    with pytest.warns(TookOver, match="added it to the gradient; it acts on the weights now"):
        decay = WeightDecay.from_optimizer(optimizer)
    session = Recipe(decay).attach(net, optimizer, loss=lambda outputs, y: outputs.sum(1) * 0.0)
    session.set_strength("weight_decay.rate", 0.2)
    start = {n: p.detach().clone() for n, p in net.named_parameters()}
    session.step(MLP.batch(0))
    shrunk = {n: float((p.detach() / start[n]).mean()) for n, p in net.named_parameters() if p.dim() > 1}
    assert shrunk == pytest.approx({"0.weight": 1 - 0.01 * 0.1, "3.weight": 1 - 0.05 * 0.2}, rel=1e-6)
    assert torch.equal(net[3].bias, start["3.bias"])
    optimizer.param_groups[0][SHARE] = 0.3
    assert session.strengths == {"weight_decay.rate": 0.2}


def test_a_new_run_and_a_group_that_comes_later_are_taken_over():
    net = model()
    net[0].requires_grad_(False)
    own = groups(net)
    optimizer = torch.optim.AdamW(own[:2], lr=0.05)
    with pytest.warns(TookOver):
        session = Recipe(WeightDecay(0.2, policy="groups")).attach(net, optimizer, loss=MLP.loss)
    assert [group[SHARE] for group in optimizer.param_groups] == [0.5, 0.0]
    session.step(MLP.batch(0))
    net[0].requires_grad_(True)
    optimizer.add_param_group(own[2])
    with pytest.warns(UserWarning, match="took over|are trained and regularized"):
        session.step(MLP.batch(1))
    assert optimizer.param_groups[2][SHARE] == pytest.approx(0.25)
    assert optimizer.param_groups[2]["weight_decay"] == 0.0
    assert "0.weight" in session._memory["weight_decay"].plan.names


def test_without_being_asked_the_error_names_the_line():
    net = model()
    optimizer = torch.optim.AdamW(groups(net), lr=0.05)
    with pytest.raises(RecipeError, match=r"WeightDecay\.from_optimizer\(optimizer\)"):
        Recipe(WeightDecay()).attach(net, optimizer, loss=MLP.loss)
    with pytest.raises(RecipeError, match="none of whose groups decays"):
        WeightDecay.from_optimizer(torch.optim.SGD(net.parameters(), lr=0.1))
    with pytest.raises(RecipeError, match="finds no group whose decay it took over"):
        Recipe(WeightDecay(policy="groups")).attach(net, torch.optim.SGD(net.parameters(), lr=0.1), loss=MLP.loss)


def test_a_scheduler_that_gives_the_optimizer_a_decay_is_noticed():
    net = model()
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.05, weight_decay=0.0)
    session = Recipe(WeightDecay(0.1), Dropout(0.1)).attach(net, optimizer, loss=MLP.loss)
    session.step(MLP.batch(0))
    session.validate([MLP.batch(1)])
    optimizer.param_groups[0]["weight_decay"] = 0.02
    with pytest.raises(RecipeError, match=r"weight_decay=0\.02 and the recipe decays weights too"):
        session.validate([MLP.batch(1)])
