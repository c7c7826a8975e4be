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


def test_texts_and_series_come_back(runner, tmp_path):
    table = runner.table.take(np.arange(4))
    texts = np.array([["one", None], ["", "zwei 🙂"], [None, "lone \ud800"], ["one", ""]], dtype=object)
    series = np.arange(24, dtype=np.float32).reshape(4, 2, 3)
    save_table(replace(table, rows=table.rows._replace(text=texts, series=series)), tmp_path)
    again = load_table(tmp_path).rows
    assert again.text.tolist() == texts.tolist()
    assert isinstance(again.series, np.memmap)
    assert np.array_equal(again.series, series)
