"""Names that come out of files are data until they are known to be plain: fit to stand in a path or an address."""

from __future__ import annotations

import re
from typing import Any

from temperance.records.errors import SettingError

_PLAIN = re.compile(r"\w[\w.\-]*", re.ASCII)
_WORDS = re.compile(r"\w[\w.\-]*")
LONGEST = 200  # bytes; file systems take 255, and suffixes are added


def is_plain(name: Any, *, letters: str = "ascii") -> bool:
    r"""Return whether ``name`` is letters, digits, ``_``, ``-`` and inner dots, and of at most 200 bytes.

    So it holds no separator, no ``..``, no space, no control character, and begins with no dot and no ``-``.

    Args:
        name: anything.
        letters: ``ascii``, or ``any`` for those of every script.

    """
    if not isinstance(name, str):
        return False
    pattern = _PLAIN if letters == "ascii" else _WORDS
    return bool(pattern.fullmatch(name)) and not name.endswith(".") and len(name.encode()) <= LONGEST


def check_plain(name: Any, what: str, *, letters: str = "ascii") -> str:
    """Return ``name`` where it is plain.

    Args:
        name: anything.
        what: its role, for the error.
        letters: as in ``is_plain``.

    Raises:
        SettingError: it is not.

    """
    if not is_plain(name, letters=letters):
        raise SettingError(
            f"{what} is {str(name)[:80]!r}", "letters, digits, _, - and inner dots, at most 200 bytes", "Rename it"
        )
    return str(name)
