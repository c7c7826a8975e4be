from __future__ import annotations

import zipfile
import zlib

import numpy as np
import pytest

from temperance.records.damaged import DAMAGED, arrays_in


@pytest.mark.parametrize(
    "error",
    [zlib.error("x"), zipfile.BadZipFile("x"), NotImplementedError("x"), RecursionError(), EOFError(), KeyError(1)],
)
def test_what_a_damaged_archive_raises_is_in_it(error):
    assert isinstance(error, DAMAGED)
    assert not isinstance(KeyboardInterrupt(), DAMAGED)


def test_a_header_that_numpy_only_warns_of_is_damage(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, a=np.arange(200))
    with zipfile.ZipFile(path) as archive:
        body = archive.read("a.npy")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", body.replace(b"(200,), }", b"(200L,),}"))
    with np.load(path) as archive, pytest.raises(ValueError, match="Python 2"):
        arrays_in(archive)


def test_a_part_that_is_no_array_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, a=np.arange(3))
    with np.load(path) as archive:
        assert arrays_in(archive)["a"].tolist() == [0, 1, 2]
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("b.txt", "no array")
    with np.load(path) as archive, pytest.raises(ValueError, match="no array"):
        arrays_in(archive)
