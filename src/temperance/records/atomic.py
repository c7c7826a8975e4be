"""Write a file so that it is either there whole or as it was."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from temperance.records.errors import DataError


def write_bytes(path: Path, data: bytes) -> None:
    """Write beside the target, flush to disk, then replace.

    Raises:
        DataError: the disk is full or the folder cannot be written; the old file is still there.

    """
    handle, name = -1, ""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except OSError as fault:
        if name and os.path.exists(name):
            os.unlink(name)
        raise DataError(
            f"{path} could not be written: {fault.strerror or fault}",
            "its folder must exist, be writable and have space left",
            "Free some space or choose another folder with --out",
        ) from fault


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text; see ``write_bytes``."""
    write_bytes(path, text.encode("utf-8"))
