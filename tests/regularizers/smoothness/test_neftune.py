"""NEFTune: the size of its noise against the Trainer's own, lengths of rows, and where there is none."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from temperance import NEFTune, Recipe
from temperance.core.shifted import Shifted
from temperance.records.errors import RecipeError, SettingError
from temperance.regularizers.smoothness.neftune import noise_of


def still(counts=None, b=4, t=6, d=5):
    return Shifted(None, torch.zeros(b, t, d, dtype=torch.float64), counts)


def test_by_hand_for_rows_of_different_length():
    counts = torch.ones(2, 4, dtype=torch.bool)
    counts[1, 1:] = False
    noise, unit = noise_of(still(counts, 2, 4, 4), 3.0, 5), noise_of(still(None, 2, 4, 4), 4.0, 5)  # 4/√(4·4) = 1
    torch.testing.assert_close(noise[0], unit[0] * 3.0 / 4.0)  # √(4·4)
    torch.testing.assert_close(noise[1], unit[1] * 3.0 / 2.0)  # √(1·4)
    assert float(unit.abs().max()) <= 1


def test_a_row_is_alpha_over_root_three_long_whatever_its_length():
    for t in (2, 50):
        lengths = noise_of(still(None, 4000, t, 3), 6.0, t).flatten(1).norm(dim=1).square()
        assert float(lengths.mean()) == pytest.approx(36 / 3, abs=4 * float(lengths.std()) / 4000**0.5)


def test_the_bound_is_that_of_transformers(monkeypatch):
    neftune = pytest.importorskip("transformers.integrations.neftune")
    given = []
    monkeypatch.setattr(torch.Tensor, "uniform_", lambda x, low, high: given.append((float(low), float(high))) or x)
    module = nn.Embedding(3, 5)
    module.neftune_noise_alpha = 7.0
    neftune.neftune_post_forward_hook(module, None, torch.zeros(4, 6, 5))
    monkeypatch.undo()
    ((low, high),) = given
    ours = noise_of(still(None, 4000, 6, 5), 7.0, 1)
    assert float(ours.max()) == pytest.approx(high, rel=1e-4)
    assert float(ours.min()) == pytest.approx(low, rel=1e-4)


def test_no_tokens_no_noise():
    model = nn.Linear(3, 2)
    session = Recipe(NEFTune()).attach(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=F.cross_entropy)
    with pytest.raises(RecipeError, match="NEFTune found no tokens among the inputs"):
        session.step((torch.randn(4, 3), torch.zeros(4, dtype=torch.int64)))
    with pytest.raises(SettingError, match="alpha"):
        NEFTune(-1.0)
