import numpy as np
import pytest

from temperance.evaluation.corruption.base import reference
from temperance.evaluation.corruption.missing import Missing
from temperance.records.schema import MISSING, Column, Rows, Schema, Target


def test_share_of_cells(binary):
    table, _ = binary
    facts = reference(table.schema, table.rows)
    damaged = Missing().corrupt(table.rows, level=0.3, reference=facts, generator=np.random.default_rng(0))
    assert np.isnan(damaged.numeric).mean() == pytest.approx(0.3, abs=0.03)
    assert (damaged.categorical == MISSING).mean() == pytest.approx(0.3, abs=0.04)


def test_parts_of_a_date_go_together():
    columns = tuple(Column(f"d_{part}", "numeric", "d", part) for part in ("days", "month", "weekday"))
    schema = Schema(columns, Target("y", "regression"))
    rows = Rows(np.ones((200, 3)), np.zeros((200, 0), np.int32))
    damaged = Missing().corrupt(rows, level=0.5, reference=reference(schema, rows), generator=np.random.default_rng(0))
    gaps = np.isnan(damaged.numeric)
    assert (gaps.all(axis=1) == gaps.any(axis=1)).all()
    assert 0.4 < gaps.mean() < 0.6
