"""What reading a damaged archive of arrays can raise: readers turn each of these into an error of the package."""

from __future__ import annotations

import lzma
import struct
import tokenize
import zipfile
import zlib

DAMAGED = (
    OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, MemoryError, SyntaxError,
    RuntimeError,  # an encrypted entry; also NotImplementedError (an unknown way to pack) and RecursionError
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, tokenize.TokenError,
)  # fmt: skip
