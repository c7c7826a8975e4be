"""What reading a damaged archive of arrays can raise: readers turn each of these into an error of the package."""

from __future__ import annotations

import lzma
import struct
import tokenize
import warnings
import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

DAMAGED = (
    OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, MemoryError, SyntaxError,
    RuntimeError,  # an encrypted entry; also NotImplementedError (an unknown way to pack) and RecursionError
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, tokenize.TokenError,
)  # fmt: skip


def arrays_in(archive: Any) -> dict[str, NDArray[Any]]:
    """Return the arrays of an open ``.npz`` by name.

    Raises:
        ValueError: a part is no array (NumPy hands out its bytes then), or its header is one that NumPy only warns of.

    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # a header of Python 2: nothing that this package wrote
        try:
            found = {name: archive[name] for name in archive.files}
        except UserWarning as warning:
            raise ValueError(str(warning)) from warning
    if not all(isinstance(one, np.ndarray) for one in found.values()):
        raise ValueError("a part of the archive is no array")
    return found
