"""What a command prints: plain text, or one JSON value with ``--json``, or nothing with ``--quiet``."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from temperance.records.plain_json import dumps


@dataclass(frozen=True)
class Console:
    """Where the words of a command go.

    Attributes:
        as_json: standard output holds one JSON value and nothing else.
        quiet: no words; errors are still said.

    """

    as_json: bool = False
    quiet: bool = False

    def result(self, value: Any, text: str) -> None:
        """Print the result: ``value`` with ``--json``, else ``text`` unless ``--quiet``."""
        if self.as_json:
            print(dumps(value))
        elif not self.quiet:
            print(text)

    def note(self, text: str) -> None:
        """Say something by the way, on standard error."""
        if not self.quiet:
            print(text, file=sys.stderr)

    def warn(self, text: str) -> None:
        """Say something that must not be missed, on standard error."""
        print(text, file=sys.stderr)


def table(rows: list[tuple[str, ...]], *, indent: str = "  ") -> str:
    """Return rows of words as columns of equal width."""
    if not rows:
        return ""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        indent + "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
