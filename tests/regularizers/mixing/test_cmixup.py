"""C-Mixup: the distribution of partners, the bound on its cost, regression only."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from temperance import Recipe
from temperance.core.batch import Batch
from temperance.records.errors import RecipeError, SettingError
from temperance.regularizers.mixing.cmixup import CMixUp, near


def test_partners_follow_the_kernel() -> None:
    y = torch.tensor([0.0, 0.5, 1.0, 3.0], dtype=torch.float64)
    counts = np.zeros((4, 4))
    for key in range(4000):
        counts[np.arange(4), near(y, 0.8, 512, key).numpy()] += 1
    kernel = np.exp(-((y[:, None] - y[None]).numpy() ** 2) / (2 * 0.8**2))
    expected = 4000 * kernel / kernel.sum(1, keepdims=True)
    for i in range(4):
        seen = expected[i] > 5
        scale = counts[i][seen].sum() / expected[i][seen].sum()
        assert stats.chisquare(counts[i][seen], expected[i][seen] * scale).pvalue > 0.001


def test_an_infinite_sigma_has_the_partners_of_mixup() -> None:
    y = torch.randn(8)
    counts = np.bincount(np.concatenate([near(y, math.inf, 512, key).numpy() for key in range(1000)]), minlength=8)
    assert stats.chisquare(counts).pvalue > 0.001


def test_candidates_bound_the_search() -> None:
    partner = near(torch.randn(100), math.inf, 5, 7)
    assert 1 < len(set(partner.tolist())) <= 5


def test_the_nearest_is_taken_for_a_small_sigma() -> None:
    y = torch.tensor([0.0, 5.0, 10.0])
    assert near(y, 1e-3, 512, 1).tolist() == [0, 1, 2]


def test_classes_and_settings_are_refused() -> None:
    model = torch.nn.Linear(3, 2)
    session = Recipe(CMixUp()).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.1), loss=torch.nn.functional.cross_entropy
    )
    with pytest.raises(RecipeError, match="Use MixUp for classes"):
        session.step(Batch(torch.randn(4, 3), torch.zeros(4, dtype=torch.int64)))
    with pytest.raises(SettingError, match="sigma"):
        CMixUp(sigma=0.0)


@pytest.mark.filterwarnings("ignore::temperance.core.embedding.OnEmbeddings")
def test_of_tokens_the_vectors_are_blended():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Embedding(9, 4), torch.nn.Flatten(), torch.nn.Linear(12, 1))
    seen = []
    model[1].register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))
    optimizer, ids, y = torch.optim.SGD(model.parameters(), lr=0.0), torch.randint(9, (6, 3)), torch.randn(6, 1)
    Recipe(CMixUp()).attach(model, optimizer, loss=lambda out, y: (out - y).square().squeeze(1)).step((ids, y))
    plain, mixed = seen  # the look for the embedding, and the step
    pairs = torch.stack([torch.linalg.lstsq(
        torch.stack([plain[i].flatten(), plain[j].flatten()]).T, mixed[i].flatten()[:, None]
    ).solution.sum() for i in range(6) for j in range(6) if i != j])  # fmt: skip
    assert not torch.allclose(plain, mixed)
    assert int((pairs - 1).abs().lt(1e-4).sum()) >= 6  # shares that add up to 1
