"""ELR: targets stay on the simplex, members share them, the index is needed."""

import numpy as np
import pytest
import torch
from torch import nn

from temperance import Batch, EarlyLearning, Mixed, MixUp, Recipe
from temperance.models.loss import cross_entropy
from temperance.records.errors import RecipeError, SettingError
from temperance.testing.said import LABELS, LOGITS, MEMBERS, attach, value


def test_two_passes_by_hand():
    session = attach(EarlyLearning(2.0, decay=0.6))
    index = torch.arange(10)
    target = np.zeros((10, 4))
    for scale in (1.0, 0.3):
        loss = session.step(Batch(LOGITS * scale, LABELS, index=index)).loss
        p = np.clip(torch.softmax(LOGITS * scale, -1).numpy(), 1e-4, 1 - 1e-4)
        target = 0.6 * target + 0.4 * p / p.sum(1, keepdims=True)
        term = np.log(1 - (target * p).sum(1)).mean()
        hard = float(cross_entropy(LOGITS * scale, LABELS).mean())
        assert float(loss.detach()) == pytest.approx(hard + 2.0 * term, abs=1e-10)


def test_targets_stay_on_the_simplex():
    session = attach(EarlyLearning(decay=0.7))
    for step in range(8):
        session.step(Batch(LOGITS * (step + 1), LABELS, index=torch.arange(10) * 3))
        rows = session._memory["early_learning"]["rows"]
        assert bool((rows >= 0).all())
        torch.testing.assert_close(rows.sum(1), torch.full((10,), 1 - 0.7 ** (step + 1), dtype=torch.float64))


def test_members_share_the_memory_of_their_mean():
    session = attach(EarlyLearning(decay=0.0))
    session.step(Batch(MEMBERS, LABELS, index=torch.arange(10)))
    wanted = torch.softmax(MEMBERS, -1).clamp(1e-4, 1 - 1e-4).mean(1)
    torch.testing.assert_close(session._memory["early_learning"]["rows"], wanted / wanted.sum(1, keepdim=True))


def test_micro_batches_remember_all_their_examples():
    session = attach(EarlyLearning())
    halves = [
        Batch(LOGITS[:5], LABELS[:5], index=torch.arange(5)),
        Batch(LOGITS[5:], LABELS[5:], index=torch.arange(5, 10)),
    ]
    session.step(halves)
    session.step(halves[0])
    table = session._memory["early_learning"]["table"]
    assert bool((table[:10].sum(1) > 0).all())


def test_no_index_mixing_and_wrong_settings_are_refused():
    with pytest.raises(RecipeError, match="without index"):
        attach(EarlyLearning()).loss((LOGITS, LABELS))
    with pytest.raises(RecipeError, match="a blend is two"):
        Recipe(EarlyLearning(), MixUp())
    with pytest.raises(RecipeError, match="mixed batch"):
        value(EarlyLearning(), LOGITS, Mixed(LABELS, LABELS, torch.tensor(0.5)))
    with pytest.raises(SettingError, match="decay"):
        EarlyLearning(decay=1.0)


def test_a_regression_is_refused_by_name():
    with pytest.raises(RecipeError, match="EarlyLearning"):
        value(EarlyLearning(), LOGITS[:, :1], torch.zeros(10), loss=lambda z, y: z.squeeze(1) - y)


def noisy_digits(one, seed, epochs=120, share=0.4):
    """Return test accuracy and the share of wrong labels learnt by heart, of an MLP on 1000 digits."""
    from sklearn.datasets import load_digits

    generator = torch.Generator().manual_seed(seed)
    inputs, labels = load_digits(return_X_y=True)
    order = torch.randperm(len(inputs), generator=generator)
    x, y = torch.tensor(inputs, dtype=torch.float32)[order] / 16, torch.tensor(labels)[order]
    wrong = torch.rand(1000, generator=generator) < share
    noisy = torch.where(wrong, (y[:1000] + torch.randint(1, 10, (1000,), generator=generator)) % 10, y[:1000])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
    session = Recipe(*one).attach(model, torch.optim.Adam(model.parameters(), lr=1e-3), loss=cross_entropy, seed=seed)
    for _ in range(epochs):
        for index in torch.randperm(1000, generator=generator).split(64):
            session.step(Batch(x[index], noisy[index], index=index))
    session.finish()
    with torch.no_grad():
        right = float((model(x[1000:]).argmax(1) == y[1000:]).float().mean())
        learnt = float((model(x[:1000]).argmax(1) == noisy)[wrong].float().mean())
    return right, learnt


@pytest.mark.slow
def test_digits_with_40_percent_wrong_labels():
    plain = np.mean([noisy_digits((), seed) for seed in range(3)], 0)
    held = np.mean([noisy_digits((EarlyLearning(3.0, decay=0.7),), seed) for seed in range(3)], 0)
    assert held[0] >= plain[0] + 0.10
    assert held[1] <= 0.6
    assert plain[1] >= 0.9
