import numpy as np

from temperance.evaluation.corruption.base import reference
from temperance.evaluation.corruption.units import UnitError


def test_one_number_per_row(binary):
    table, _ = binary
    facts = reference(table.schema, table.rows)
    damaged = UnitError().corrupt(table.rows, level=10.0, reference=facts, generator=np.random.default_rng(0))
    changed = damaged.numeric != table.rows.numeric
    assert (changed.sum(axis=1) == 1).all()
    assert np.allclose(damaged.numeric[changed], 10 * table.rows.numeric[changed])
    assert changed.any(axis=0).all()
