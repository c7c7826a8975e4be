"""Whether words and pictures come out right: encodings, locale, fonts."""

from __future__ import annotations

import locale
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from temperance.cli.doctor.base import FINE, LOOK, Check, Condition

LETTERS = "×…–≤äß"  # what our sentences hold beside ASCII


@dataclass(frozen=True)
class Terminal(Check):
    """Looks at the encodings and the fonts."""

    name: ClassVar[str] = "terminal"

    def examine(self) -> Iterator[Condition]:
        yield encoding_of(sys.stdout.encoding or "ascii")
        yield _locale()
        yield _fonts()


def encoding_of(encoding: str) -> Condition:
    """Say whether an output of this encoding can show our letters.

    Args:
        encoding: of standard output.

    """
    facts = {"stdout": encoding, "files": locale.getpreferredencoding(False)}
    lost = [letter for letter in LETTERS if not _can(letter, encoding)]
    if lost:
        return Condition(
            "terminal", LOOK, f"Your terminal's encoding, {encoding}, has no {' '.join(map(ascii, lost))}.",
            "Set PYTHONUTF8=1, or a UTF-8 locale such as LANG=C.UTF-8", facts,
        )  # fmt: skip
    return Condition("terminal", FINE, f"It shows all letters ({encoding}).", facts=facts)


def _can(letter: str, encoding: str) -> bool:
    try:
        letter.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _locale() -> Condition:
    try:
        locale.setlocale(locale.LC_CTYPE, "")
    except locale.Error:
        return Condition(
            "locale", LOOK, "The locale of your settings (LANG, LC_ALL) is not installed.",
            "Set LANG=C.UTF-8, or install that locale",
        )  # fmt: skip
    now = locale.setlocale(locale.LC_CTYPE)
    return Condition("locale", FINE, f"The locale is {now}. Files are read and written as UTF-8 whatever it is.",
                     facts={"locale": now})  # fmt: skip


def _fonts() -> Condition:
    lister = shutil.which("fc-list")
    if lister is None:
        return Condition("fonts", FINE, "Reports use the fonts of the browser; nothing is downloaded.")
    done = subprocess.run([lister, ":", "family"], capture_output=True, text=True, check=False, timeout=60)
    count = len(set(done.stdout.splitlines()))
    if not count:
        return Condition(
            "fonts", LOOK, "No font is installed, so a browser on this machine shows reports without letters.",
            "Install one (Debian, Ubuntu: apt-get install fonts-dejavu), or open reports elsewhere", {"families": 0},
        )  # fmt: skip
    return Condition("fonts", FINE, f"Reports use the fonts of the browser; {count} families are here.",
                     facts={"families": count})  # fmt: skip
