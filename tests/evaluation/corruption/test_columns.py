import numpy as np
import pytest

from temperance.evaluation.corruption.base import reference
from temperance.evaluation.corruption.columns import Stuck, SwappedColumns


def test_stuck_columns_say_one_row_s_value_and_more_of_them_at_a_higher_severity(binary):
    table, _ = binary
    facts = reference(table.schema, table.rows)
    still = []
    for severity in (1, 5):
        made = Stuck()(table.rows, severity=severity, reference=facts, generator=np.random.default_rng(4))
        still.append({j for j in range(4) if len(np.unique(made.numeric[:, j])) == 1})
        still[-1] |= {4} if len(np.unique(made.categorical)) == 1 else set()
        for j in still[-1] - {4}:
            assert made.numeric[0, j] in table.rows.numeric[:, j]
    assert [len(one) for one in still] == [1, 2]
    assert still[0] < still[1]


def test_two_numbers_of_a_row_change_places(binary):
    table, _ = binary
    facts = reference(table.schema, table.rows)
    made = SwappedColumns().corrupt(table.rows, level=0.25, reference=facts, generator=np.random.default_rng(0))
    changed = (made.numeric != table.rows.numeric).sum(axis=1)
    assert set(changed.tolist()) == {0, 2}
    assert (changed == 2).mean() == pytest.approx(0.25, abs=0.04)
    assert np.array_equal(np.sort(made.numeric, axis=1), np.sort(table.rows.numeric, axis=1))
