from __future__ import annotations

import numpy as np
import pytest
import torch

from temperance.core.policy import matrices
from temperance.models.embeddings import Categories, PeriodicEmbedding, PiecewiseEmbedding, TableInputs
from temperance.records.errors import SettingError


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


def test_piecewise_embedding_equals_its_formula() -> None:
    torch.manual_seed(0)
    edges = ((-1.0, 0.0, 2.0), (0.0, 1.0))
    embedding = PiecewiseEmbedding(edges, width=3).double()
    value = embedding.value.detach().numpy()
    numbers = np.array([[-2.0, 0.25], [-0.5, 3.0], [1.0, -1.0], [5.0, 0.5]])
    expected = np.zeros((4, 2, 3))
    for row in range(4):
        for j, marks in enumerate(edges):
            for i in range(len(marks) - 1):
                filled = np.clip((numbers[row, j] - marks[i]) / (marks[i + 1] - marks[i]), 0, 1)
                expected[row, j] += filled * value[j, i]
    got = embedding(torch.from_numpy(numbers)).detach().numpy()
    np.testing.assert_allclose(got, expected.reshape(4, 6), rtol=1e-10)
    with pytest.raises(SettingError, match="at most 2 pieces"):
        PiecewiseEmbedding(((0.0, 1.0, 2.0, 3.0),), pieces=2)


def test_weight_decay_leaves_embeddings_alone() -> None:
    inputs = TableInputs(2, (3, 40), embeddings=(PeriodicEmbedding(2), PiecewiseEmbedding(((0.0, 1.0),) * 2)))
    assert matrices(inputs) == ()


def test_categories_by_hand() -> None:
    block = Categories((2, 3, 12, 1), one_hot=10, size=4)
    out = block(torch.tensor([[1, 2, 11, 0], [0, 0, 0, 0]]), torch.zeros(1))[:, 0]
    assert block.width == 1 + 2 + 1 + 4
    assert out[:, :4].tolist() == [[1, 0, 1, 1], [0, 0, 0, 1]]
    assert block.table is not None
    torch.testing.assert_close(out[:, 4:], block.table.weight[[11, 0]])
    assert not out[1, 4:].detach().any()  # unseen starts as nothing


def test_long_columns_have_tables_of_their_own() -> None:
    block = Categories((11, 20), one_hot=10, size=2)
    out = block(torch.tensor([[3, 3]]), torch.zeros(1))
    assert block.table is not None
    torch.testing.assert_close(out[0, 0], torch.cat([block.table.weight[3], block.table.weight[14]]))


def test_inputs_join_what_there_is() -> None:
    numbers, codes = torch.randn(4, 2), torch.zeros(4, 1, dtype=torch.int64)
    both = TableInputs(2, (3,), embeddings=(PeriodicEmbedding(2, width=4),), per_number=4)
    assert both(numbers, codes).shape == (1, 4, both.width) == (1, 4, 10)
    plain = TableInputs(2, ())
    assert torch.equal(plain(numbers, codes[:, :0])[0], numbers)
    only = TableInputs(0, (3,))
    assert only(numbers[:, :0], codes + 2)[0].tolist() == [[0, 1]] * 4


def test_banks_are_copies_that_share_nothing() -> None:
    embedding = PeriodicEmbedding(6, width=4)
    inputs = TableInputs(2, (20,), embeddings=(embedding,), per_number=4, banks=3)
    numbers, codes = torch.randn(5, 2), torch.ones(5, 1, dtype=torch.int64)
    out = inputs(numbers, codes)
    assert out.shape == (3, 5, inputs.width)
    torch.testing.assert_close(out[2, :, 3:8:4], numbers)
    out[1].sum().backward()
    frequency = embedding.frequency.grad
    assert frequency is not None
    assert frequency[2:4].abs().min() > 0
    assert frequency[[0, 1, 4, 5]].abs().sum() == 0
    assert inputs.categories is not None
    assert inputs.categories.table is not None
    table = inputs.categories.table.weight.grad
    assert table is not None
    assert table[1].view(3, 8).abs().sum(1).gt(0).tolist() == [False, True, False]
