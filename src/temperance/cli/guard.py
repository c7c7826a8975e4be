"""What stands around every command: errors become short messages and exit codes, never a traceback by surprise."""

from __future__ import annotations

import functools
import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec

import typer

from temperance.records.errors import TemperanceError

P = ParamSpec("P")
FAILED, REFUSED, STOPPED = 1, 2, 130
TRACEBACK = "TEMPERANCE_TRACEBACK"


@dataclass(frozen=True)
class Started:
    """When the command began: with this process, or ``at`` (``time.monotonic()``) where it is called in one."""

    process: bool
    at: float = 0.0

    @property
    def moment(self) -> float:
        """``time.monotonic()`` of the start."""
        if not self.process:
            return self.at
        from temperance.study.clock import process_start

        return process_start()


class Interrupted(KeyboardInterrupt):
    """The user stopped a command; the text says what was kept and how to go on."""


def guarded(command: Callable[P, None]) -> Callable[P, None]:
    """Wrap a command so that its failures become messages on standard error and an exit code."""

    @functools.wraps(command)
    def safe(*args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.get("as_json"))
        try:
            command(*args, **kwargs)
        except TemperanceError as fault:
            raise typer.Exit(refuse(fault, as_json=as_json)) from None
        except KeyboardInterrupt as stop:
            print(str(stop) or "Stopped.", file=sys.stderr)
            raise typer.Exit(STOPPED) from None
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader went away; nobody is told
            raise typer.Exit(FAILED) from None
        except typer.Exit:
            raise
        except Exception as fault:  # the last line: whatever it is, the user gets a sentence and a way to see more
            raise typer.Exit(fail(fault, as_json=as_json)) from None

    return safe


def refuse(fault: TemperanceError, *, as_json: bool = False) -> int:
    """Print a three-part message, and with ``--json`` an object ``{"error": …}``; return the exit code."""
    lines = [f"Error: {_sentence(fault.received)}"]
    lines += [f"  Accepted: {_sentence(fault.accepted)}"] if fault.accepted else []
    lines += [f"  What to do: {_sentence(fault.remedy)}"] if fault.remedy else []
    print("\n".join(lines), file=sys.stderr)
    if as_json:
        _object(
            {"kind": type(fault).__name__, "received": fault.received, "accepted": fault.accepted,
             "remedy": fault.remedy, "message": str(fault)}
        )  # fmt: skip
    if os.environ.get(TRACEBACK):
        traceback.print_exception(fault)
    return REFUSED


def fail(fault: Exception, *, as_json: bool = False) -> int:
    """Print what went wrong unexpectedly and how to see all of it; return the exit code."""
    kind, text = type(fault).__name__, " ".join(str(fault).split())[:500]
    print(f"Error: something unexpected went wrong ({kind}: {text}).", file=sys.stderr)
    if os.environ.get(TRACEBACK):
        traceback.print_exception(fault)
    else:
        print(f"  What to do: run it again with {TRACEBACK}=1 to see where, and report that.", file=sys.stderr)
    if as_json:
        _object({"kind": kind, "received": text, "accepted": "", "remedy": f"Run again with {TRACEBACK}=1"})
    return FAILED


def _object(row: dict[str, Any]) -> None:
    print(json.dumps({"error": row}))


def _sentence(text: str) -> str:
    text = text.strip()
    text = text if text.endswith((".", "?", "!", ":")) else f"{text}."
    first = text.split(maxsplit=1)[0] if text else ""
    if any(not sign.isalpha() for sign in first.rstrip(",;:.?!")):
        return text  # a file, an option or a number: its name stays as it is written
    return text[:1].upper() + text[1:]
