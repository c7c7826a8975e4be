import numpy as np

from temperance.evaluation.corruption.base import reference
from temperance.evaluation.corruption.rounding import Rounding


def test_numbers_become_multiples_and_gaps_stay(binary):
    table, _ = binary
    rows = table.rows._replace(numeric=np.where(np.arange(4000).reshape(1000, 4) % 7 == 0, np.nan, table.rows.numeric))
    facts = reference(table.schema, rows)
    made = Rounding().corrupt(rows, level=0.5, reference=facts, generator=np.random.default_rng(0))
    share = made.numeric / (0.5 * facts.spread)
    assert np.nanmax(np.abs(share - np.rint(share))) < 1e-9
    assert (np.abs(made.numeric - rows.numeric) <= 0.25 * facts.spread + 1e-9)[~np.isnan(rows.numeric)].all()
    assert np.array_equal(np.isnan(made.numeric), np.isnan(rows.numeric))
