"""The command line: each command parses, calls one station and prints. Nothing heavy is loaded before it is needed."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``temperance`` and return its exit status.

    Args:
        arguments: words of the command; None takes those of this process, and then a study's budget counts from the
            start of the process.

    Returns:
        0: done. 1: an unexpected failure. 2: input that cannot be used. 130: stopped by the user.

    """
    from temperance.cli.application import run

    return run(arguments)
