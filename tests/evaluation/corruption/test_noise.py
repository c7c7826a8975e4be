import numpy as np
import pytest

from temperance.evaluation.corruption.base import reference
from temperance.evaluation.corruption.noise import Noise
from temperance.records.schema import Rows


def test_noise_has_the_stated_size_and_keeps_gaps(binary):
    table, _ = binary
    x = table.rows.numeric.copy()
    x[:10, 0] = np.nan
    rows = Rows(x, table.rows.categorical)
    facts = reference(table.schema, rows)
    damaged = Noise().corrupt(rows, level=0.5, reference=facts, generator=np.random.default_rng(0))
    gap = (damaged.numeric - x)[10:]
    assert gap.std(axis=0) / facts.spread == pytest.approx(np.full(4, 0.5), rel=0.1)
    assert np.isnan(damaged.numeric[:10, 0]).all()
    assert damaged.categorical is rows.categorical
