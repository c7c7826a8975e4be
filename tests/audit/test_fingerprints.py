from __future__ import annotations

import numpy as np

from temperance.audit.fingerprints import column_hashes, fingerprints, mix, partner, repeated
from temperance.records.schema import Rows


def rows(numeric, categorical=None):
    numeric = np.asarray(numeric, dtype=np.float64)
    return Rows(
        numeric, np.zeros((len(numeric), 0), np.int32) if categorical is None else np.asarray(categorical, np.int32)
    )


def test_mix_is_splitmix64():
    # first outputs of the published generator for seed 0 (Vigna's reference splitmix64.c)
    assert mix(np.array([0], dtype=np.uint64))[0] == np.uint64(0xE220A8397B1DCDAF)


def test_equal_rows_have_equal_fingerprints_and_others_do_not():
    h = fingerprints(rows([[1, 2], [1, 2], [2, 1], [1, np.nan]]))
    assert h[0] == h[1]
    assert len(set(h.tolist())) == 3


def test_missing_values_and_zeros_are_canonical():
    other_nan = np.array([0x7FF8000000000001], dtype=np.uint64).view(np.float64)[0]
    h = fingerprints(rows([[0.0, np.nan], [-0.0, other_nan]]))
    assert h[0] == h[1]


def test_leaving_one_column_out_is_a_subtraction():
    data = rows([[1, 2, 3], [9, 2, 3]])
    parts = list(column_hashes(data))
    total = fingerprints(data)
    assert (total - parts[0])[0] == (total - parts[0])[1]
    assert (total - parts[1])[0] != (total - parts[1])[1]


def test_images_are_hashed_by_pixels():
    images = np.zeros((3, 4, 4, 1), dtype=np.uint8)
    images[2, 0, 0, 0] = 1
    h = fingerprints(Rows(np.zeros((3, 0)), np.zeros((3, 0), np.int32), images))
    assert h[0] == h[1] != h[2]


def test_repeated_and_partner():
    h = np.array([5, 7, 5, 9], dtype=np.uint64)
    assert repeated(h).tolist() == [0, 1, 0, 3]
    assert partner(np.array([9, 4], dtype=np.uint64), h).tolist() == [3, -1]
    assert partner(h, h[:0]).tolist() == [-1] * 4
