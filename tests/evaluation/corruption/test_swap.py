import numpy as np
import pytest

from temperance.evaluation.corruption.base import reference
from temperance.evaluation.corruption.swap import Swap


def test_cells_come_from_the_same_column(binary):
    table, _ = binary
    facts = reference(table.schema, table.rows)
    damaged = Swap().corrupt(table.rows, level=0.3, reference=facts, generator=np.random.default_rng(0))
    for j in range(4):
        assert np.isin(damaged.numeric[:, j], table.rows.numeric[:, j]).all()
    assert (damaged.numeric != table.rows.numeric).mean() == pytest.approx(0.3, abs=0.03)
    assert damaged.categorical.dtype == np.int32
