from __future__ import annotations

import zipfile
import zlib

import pytest

from temperance.records.damaged import DAMAGED


@pytest.mark.parametrize(
    "error",
    [zlib.error("x"), zipfile.BadZipFile("x"), NotImplementedError("x"), RecursionError(), EOFError(), KeyError(1)],
)
def test_what_a_damaged_archive_raises_is_in_it(error):
    assert isinstance(error, DAMAGED)
    assert not isinstance(KeyboardInterrupt(), DAMAGED)
