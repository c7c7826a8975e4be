import numpy as np
import pytest

from temperance.evaluation.corruption.base import reference
from temperance.evaluation.corruption.gaps import MissingByColumn, MissingByValue
from temperance.records.schema import MISSING


@pytest.mark.parametrize("level", [0.1, 0.3, 0.5])
def test_large_numbers_go_missing_more_often(binary, level):
    table, _ = binary
    facts = reference(table.schema, table.rows)
    made = MissingByValue().corrupt(table.rows, level=level, reference=facts, generator=np.random.default_rng(0))
    gone = np.isnan(made.numeric)
    assert gone.mean() == pytest.approx(level, abs=0.03)
    for j in range(4):
        upper = table.rows.numeric[:, j] > np.median(table.rows.numeric[:, j])
        assert gone[upper, j].mean() > 2 * gone[~upper, j].mean()


def test_one_column_drives_the_gaps_of_the_others_and_stays_whole(binary):
    table, _ = binary
    facts = reference(table.schema, table.rows)
    made = MissingByColumn().corrupt(table.rows, level=0.3, reference=facts, generator=np.random.default_rng(1))
    gone = np.column_stack([np.isnan(made.numeric), made.categorical == MISSING])
    whole = np.flatnonzero(~gone.any(axis=0))
    assert len(whole) == 1
    driver = table.rows.numeric[:, whole[0]]
    others = np.delete(gone, whole[0], axis=1).mean(axis=1)
    assert others[driver > np.median(driver)].mean() > 2 * others[driver < np.median(driver)].mean()
    assert others.mean() == pytest.approx(0.3, abs=0.03)
