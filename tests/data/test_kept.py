from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from temperance.data import kept as module
from temperance.data.kept import Kept


@pytest.mark.parametrize("limit", [1, 10**9], ids=["files", "memory"])
def test_blocks_are_the_rows_that_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(module, "LONG_BYTES", limit)
    monkeypatch.setattr(module, "BLOCK", 7)
    kept, values, codes = Kept(tmp_path), np.arange(20.0), np.arange(20, dtype=np.int32) * 3
    kept.put("a", values)
    kept.put("b/c", codes)
    assert "a" in kept
    assert "c" not in kept
    assert bool(list(tmp_path.iterdir())) == (limit == 1)
    mask = np.arange(20) % 3 > 0
    blocks = list(kept.blocks([("a", "days"), ("b/c", "")], mask))
    assert [part for _, part in blocks[0]] == ["days", ""]
    np.testing.assert_array_equal(np.concatenate([block[0][0] for block in blocks]), values[mask])
    np.testing.assert_array_equal(np.concatenate([block[1][0] for block in blocks]), codes[mask])
