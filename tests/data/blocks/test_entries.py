from __future__ import annotations

import numpy as np
import pytest

from temperance.data.blocks import entries
from temperance.data.blocks.entries import Entries

ONE = Entries(np.array([0, 2, 2, 3]), np.array([0, 2, 1]), np.array([1.0, 2.0, 3.0], dtype=np.float32))
WEIGHTS = np.arange(6, dtype=np.float32).reshape(3, 2)


def test_a_product_by_hand() -> None:
    assert ONE.times(WEIGHTS).tolist() == [[8.0, 11.0], [0.0, 0.0], [6.0, 9.0]]


@pytest.mark.parametrize("terms", [1, 3, 64, 2**22])
def test_the_product_is_that_of_scipy_however_it_is_parted(terms: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    dense = np.where(rng.random((30, 12)) < 0.3, rng.normal(size=(30, 12)), 0).astype(np.float32)
    rows, columns = np.nonzero(dense)
    made = Entries(np.searchsorted(rows, np.arange(31)), columns, dense[rows, columns])
    weights = rng.normal(size=(12, 4)).astype(np.float32)
    monkeypatch.setattr(entries, "TERMS", terms)
    np.testing.assert_allclose(made.times(weights), made.csr(12) @ weights, atol=1e-6)
    np.testing.assert_allclose(made.times(weights), dense @ weights, atol=1e-6)


def test_chosen_columns() -> None:
    assert ONE.only(np.array([1, 2])).csr(2).toarray().tolist() == [[0.0, 2.0], [0.0, 0.0], [3.0, 0.0]]
    assert ONE.only(np.empty(0, dtype=np.int64)).csr(0).shape == (3, 0)


def test_one_below_the_other() -> None:
    both = Entries.stack([ONE, ONE]).csr(3).toarray()
    np.testing.assert_array_equal(both, np.tile(ONE.csr(3).toarray(), (2, 1)))
