"""The moving average against its closed form and torch's own."""

import numpy as np
import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from temperance import EMA, SWA, Recipe
from temperance.records.errors import RecipeError, SettingError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import attach

MLP = PROBLEMS["mlp"]


def history(session, steps, dtype=torch.float64):
    past = [dict(session.solo.home.clone())]
    for number in range(steps):
        session.step(MLP.batch(number, dtype))
        past.append(dict(session.solo.home.clone()))
    return past


def test_equals_the_closed_form():
    """v_T = dᵀ·w₀ + (1 − d)·Σ dᵀ⁻ᵗ·w_t."""
    session = attach(Recipe(EMA(0.8)), MLP, dtype=torch.float64)
    past, d, last = history(session, 12), 0.8, 12
    for name, served in session.served.items():
        weights = [past[t][name].numpy() for t in range(last + 1)]
        expected = d**last * weights[0] + (1 - d) * sum(d ** (last - t) * weights[t] for t in range(1, last + 1))
        np.testing.assert_allclose(served.numpy(), expected, rtol=1e-12, atol=1e-14)


def test_equals_torchs_averaged_model():
    session = attach(Recipe(EMA(0.9)), MLP)
    average = AveragedModel(session.model, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    average.update_parameters(session.model)  # its first call copies
    for number in range(15):
        session.step(MLP.batch(number))
        average.update_parameters(session.model)
    for (_, ours), theirs in zip(session.served.items(), average.module.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs.detach(), rtol=1e-6, atol=1e-7)


def test_a_hand_computed_case():
    model = torch.nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(1.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    session = Recipe(EMA(0.75)).attach(model, optimizer, loss=lambda out, y: out.squeeze(1))
    for _ in range(2):
        session.step((torch.ones(1, 1), torch.zeros(1)))  # w: 1, 0, -1
    assert session.served["weight"].item() == pytest.approx(0.75 * (0.75 * 1 + 0.25 * 0) + 0.25 * -1)


def test_finish_puts_the_average_in():
    session = attach(Recipe(EMA(0.9)), MLP)
    history(session, 5, torch.float32)
    served = {name: t.clone() for name, t in session.served.items()}
    model = session.finish()
    for name, p in model.named_parameters():
        assert torch.equal(p, served[name])


def test_finish_re_estimates_the_statistics_of_batchnorm_or_raises():
    problem = PROBLEMS["convnet"]
    session = attach(Recipe(EMA(0.9)), problem)
    for number in range(5):
        session.step(problem.batch(number))
    with pytest.raises(RecipeError, match=r"session.finish\(batches=train\)"):
        session.finish()
    batches = [problem.batch(number) for number in range(5)]
    model = session.finish(batches=batches)
    outs = [model[0](batch.inputs) for batch in batches]
    mean = torch.stack([out.mean((0, 2, 3)) for out in outs]).mean(0)
    torch.testing.assert_close(model[1].running_mean, mean.detach(), rtol=1e-5, atol=1e-6)
    assert not model.training
    assert model[1].momentum == 0.1


def test_wrong_uses_are_refused():
    with pytest.raises(SettingError, match=r"decay=1\.0"):
        EMA(1.0)
    with pytest.raises(RecipeError, match=r"EMA and SWA"):
        Recipe(EMA(), SWA())
