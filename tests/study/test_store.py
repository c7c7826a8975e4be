"""A table comes back from disk as it was, memory-mapped."""

from dataclasses import replace

import numpy as np

from temperance.study.store import load_table, save_table


def test_round_trip(runner, tmp_path):
    table = runner.table
    save_table(replace(table, weight=np.arange(len(table)) + 0.5), tmp_path)
    again = load_table(tmp_path)
    assert again.schema == table.schema
    assert np.array_equal(again.rows.numeric, table.rows.numeric, equal_nan=True)
    assert np.array_equal(again.rows.categorical, table.rows.categorical)
    assert np.array_equal(again.target, table.target)
    assert isinstance(again.target, np.memmap)
    assert again.group is None
    assert again.weight.tolist() == (np.arange(len(table)) + 0.5).tolist()
    assert again.fingerprint == table.fingerprint
