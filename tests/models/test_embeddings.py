from __future__ import annotations

import numpy as np
import torch

from temperance.models.embeddings import Categories, PeriodicEmbedding, TableInputs


def test_periodic_embedding_equals_its_formula() -> None:
    torch.manual_seed(0)
    embedding = PeriodicEmbedding(3, frequencies=5, width=4, rate=0.1).double()
    numbers = torch.randn(6, 3, dtype=torch.float64)
    w, u, v, a = (0.1 * p.detach().numpy() for p in embedding.parameters())
    expected = np.empty((6, 3, 4))
    for row in range(6):
        for j in range(3):
            x = float(numbers[row, j])
            expected[row, j, :3] = np.cos(w[j] * x + u[j]) @ v[j] + a[j]
            expected[row, j, 3] = x
    np.testing.assert_allclose(embedding(numbers).detach().numpy(), expected.reshape(6, 12), rtol=1e-10)


def test_start_spreads_phases_and_frequencies() -> None:
    torch.manual_seed(0)
    embedding = PeriodicEmbedding(200, frequencies=16, scale=0.1, rate=0.1)
    turns = 0.1 * embedding.frequency / (2 * np.pi)
    assert abs(float(turns.detach().std()) - 0.1) < 0.01
    assert float((0.1 * embedding.phase).detach().abs().max()) <= np.pi + 1e-5


def test_categories_by_hand() -> None:
    block = Categories((2, 3, 12), one_hot=9, size=4)
    out = block(torch.tensor([[1, 2, 11], [0, 0, 0]]), torch.zeros(1))
    assert block.width == 1 + 3 + 4
    assert out[:, :4].tolist() == [[1, 0, 0, 1], [0, 1, 0, 0]]
    assert block.table is not None
    torch.testing.assert_close(out[:, 4:], block.table.weight[[11, 0]])


def test_long_columns_have_tables_of_their_own() -> None:
    block = Categories((10, 20), one_hot=9, size=2)
    out = block(torch.tensor([[3, 3]]), torch.zeros(1))
    assert block.table is not None
    torch.testing.assert_close(out[0], torch.cat([block.table.weight[3], block.table.weight[13]]))


def test_inputs_join_what_there_is() -> None:
    numbers, codes = torch.randn(4, 2), torch.zeros(4, 1, dtype=torch.int64)
    both = TableInputs(2, (3,), embed=True, width=4)
    assert both(numbers, codes).shape == (4, both.width) == (4, 11)
    plain = TableInputs(2, (), embed=False)
    assert torch.equal(plain(numbers, codes[:, :0]), numbers)
    only = TableInputs(0, (3,), embed=True)
    assert only(numbers[:, :0], codes).tolist() == [[1, 0, 0]] * 4
