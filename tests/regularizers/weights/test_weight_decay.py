"""Decoupled decay against torch's own AdamW and SGD, and the plain formula."""

import numpy as np
import pytest
import torch
from torch import nn

from temperance import Recipe, WeightDecay
from temperance.core.policy import reason_kept
from temperance.records.errors import RecipeError, SettingError
from temperance.testing.problems import PROBLEMS

MLP = PROBLEMS["mlp"]


def test_equals_the_decay_of_torchs_adamw_over_100_steps():
    ours, theirs = MLP.model().train(), MLP.model().train()
    optimizer = torch.optim.AdamW(ours.parameters(), lr=3e-3, weight_decay=0)
    session = Recipe(WeightDecay(0.3, policy="all")).attach(ours, optimizer, loss=MLP.loss)
    reference = torch.optim.AdamW(theirs.parameters(), lr=3e-3, weight_decay=0.3)
    for number in range(100):
        batch = MLP.batch(number)
        session.step(batch)
        reference.zero_grad()
        MLP.loss(theirs(batch.inputs), batch.targets).mean().backward()
        reference.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-7, atol=1e-7)


def test_the_policy_of_matrices_equals_torchs_parameter_groups():
    net = PROBLEMS["convnet"]
    ours, theirs = net.model().train(), net.model().train()
    optimizer = torch.optim.AdamW(ours.parameters(), lr=3e-3, weight_decay=0)
    session = Recipe(WeightDecay(0.5)).attach(ours, optimizer, loss=net.loss)
    decayed = [p for p in theirs.parameters() if p.dim() > 1]
    groups = [{"params": decayed, "weight_decay": 0.5}, {"params": [p for p in theirs.parameters() if p.dim() < 2]}]
    reference = torch.optim.AdamW(groups, lr=3e-3, weight_decay=0)
    for number in range(20):
        session.step(net.batch(number))
        reference.zero_grad()
        net.loss(theirs(net.batch(number).inputs), net.batch(number).targets).mean().backward()
        reference.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-7)


def test_weights_without_gradient_shrink_by_the_product_of_the_schedule():
    model = nn.Sequential(nn.Linear(4, 3, dtype=torch.float64))
    start = model[0].weight.detach().numpy().copy()
    bias = model[0].bias.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = Recipe(WeightDecay(0.5)).attach(model, optimizer, loss=lambda out, y: out.sum(1) * 0)
    rates = [0.1, 0.05, 0.2]
    for rate in rates:
        optimizer.param_groups[0]["lr"] = rate
        session.step((torch.zeros(2, 4, dtype=torch.float64), torch.zeros(2)))
    expected = start * np.prod([1 - rate * 0.5 for rate in rates])
    np.testing.assert_allclose(model[0].weight.detach().numpy(), expected, rtol=1e-15)
    assert torch.equal(model[0].bias, bias)


def test_groups_with_rates_of_their_own_decay_by_their_own_rate():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    start = [p.detach().clone() for p in model.parameters()]
    groups = [{"params": model[0].parameters(), "lr": 0.1}, {"params": model[1].parameters(), "lr": 0.01}]
    session = Recipe(WeightDecay(1.0)).attach(model, torch.optim.SGD(groups), loss=lambda out, y: out.sum(1) * 0)
    session.step((torch.zeros(2, 2), torch.zeros(2)))
    torch.testing.assert_close(model[0].weight, start[0] * 0.9)
    torch.testing.assert_close(model[1].weight, start[1] * 0.99)


def test_a_hand_computed_step():
    model = nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(2.0)
    session = Recipe(WeightDecay(0.5)).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.1), loss=lambda out, y: out.squeeze(1)
    )
    session.step((torch.ones(1, 1), torch.zeros(1)))
    assert model.weight.item() == pytest.approx(2.0 * (1 - 0.1 * 0.5) - 0.1 * 1.0)


def test_a_timescale_gives_the_rate_that_averages_over_so_many_epochs():
    model = MLP.model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = Recipe(WeightDecay(timescale=5.0)).attach(model, optimizer, loss=MLP.loss, steps_per_epoch=20)
    assert session.strengths["weight_decay.rate"] == pytest.approx(1 / (0.1 * 5 * 20))


def test_biases_norms_and_embeddings_are_left_alone():
    reasons = reason_kept(PROBLEMS["embeddings"].model()) | reason_kept(PROBLEMS["transformer"].model())
    assert reasons["embedding.weight"] == "embedding"
    assert reasons["blocks.0.branch.0.weight"] == "normalization"
    assert reasons["head.bias"] == "bias"
    assert reasons["head.weight"] == ""


def test_wrong_uses_are_refused():
    model = MLP.model()
    with pytest.raises(RecipeError, match=r"torch.optim.AdamW\(model.parameters\(\), lr=…, weight_decay=0\)"):
        Recipe(WeightDecay()).attach(model, torch.optim.AdamW(model.parameters()), loss=MLP.loss)
    plain = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(RecipeError, match="steps_per_epoch"):
        Recipe(WeightDecay(timescale=5.0)).attach(model, plain, loss=MLP.loss)
    with pytest.raises(RecipeError, match="policy"):
        Recipe(WeightDecay(policy="some")).attach(model, plain, loss=MLP.loss)
    norm = nn.LayerNorm(3)
    with pytest.raises(RecipeError, match="nothing to decay"):
        Recipe(WeightDecay()).attach(norm, torch.optim.SGD(norm.parameters(), lr=0.1), loss=MLP.loss)
    with pytest.raises(SettingError, match="rate"):
        WeightDecay(6.0)
