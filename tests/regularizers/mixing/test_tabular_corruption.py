"""Corruption of tables: the rate the right way round, empirical marginals, valid codes."""

import pytest
import torch
from scipy import stats

from temperance.records.errors import RecipeError
from temperance.regularizers.mixing.tabular_corruption import corrupt

ROWS = 4000


def test_the_share_of_replaced_cells_is_the_rate() -> None:
    # all values differ, so a cell is unchanged only where it was not chosen (or drew its own row: 1 in 4000)
    x = torch.arange(ROWS * 10, dtype=torch.float64).reshape(ROWS, 10)
    assert float((corrupt(x, 0.6, 1) != x).double().mean()) == pytest.approx(0.6, abs=0.01)


def test_columns_keep_their_distribution() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.stack([torch.randn(ROWS, generator=generator).exp(), torch.rand(ROWS, generator=generator) * 50], 1)
    out = corrupt(x, 0.6, 2)
    for column in range(2):
        assert stats.ks_2samp(x[:, column].numpy(), out[:, column].numpy()).pvalue > 0.01
        assert bool(torch.isin(out[:, column], x[:, column]).all()), "a value that the column never had"
    assert not torch.equal(out, x)


def test_categories_stay_valid_codes_and_other_inputs_stay() -> None:
    codes = torch.stack([torch.randint(0, 3, (200,)), torch.full((200,), 7)], 1)
    picture = torch.randn(200, 1, 2, 2)
    out = corrupt({"codes": codes, "picture": picture}, 0.9, 3)
    assert out["codes"].dtype == codes.dtype
    assert set(out["codes"][:, 0].tolist()) <= {0, 1, 2}
    assert set(out["codes"][:, 1].tolist()) == {7}
    assert out["picture"] is picture


def test_rate_zero_is_the_identity_and_the_key_decides() -> None:
    x = torch.randn(20, 3)
    assert torch.equal(corrupt(x, 0.0, 1), x)
    assert torch.equal(corrupt(x, 0.5, 1), corrupt(x, 0.5, 1))


def test_images_are_refused() -> None:
    with pytest.raises(RecipeError, match="TabularCorruption found no table"):
        corrupt(torch.randn(4, 1, 3, 3), 0.5, 0)
