"""Run the chapters of docs/tutorial and put what they print under their code.

python scripts/run_tutorial.py [docs/tutorial/1_overfitting.md ...]      all by default; about two minutes

The figures of a chapter are thus computed by the chapter. Tests run each again and compare what it prints.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "tutorial"
BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<told>.*?)^```\n)?", flags=re.M | re.S)


def chapters() -> list[Path]:
    """Return the pages that hold code, in order."""
    return [path for path in sorted(FOLDER.glob("*.md")) if "```python" in path.read_text(encoding="utf-8")]


def ran(text: str, name: str) -> Iterator[tuple[re.Match[str], str]]:
    """Run the blocks of a page in order and yield each with what it printed.

    Args:
        text: the page.
        name: its name, for tracebacks.

    """
    space: dict[str, Any] = {"__name__": "tutorial"}
    for number, hit in enumerate(BLOCK.finditer(text)):
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            exec(compile(hit["code"], f"{name}, block {number}", "exec"), space)
        yield hit, told.getvalue()


def filled(text: str, name: str) -> str:
    """Return the page with what its blocks print now."""
    parts, end = [], 0
    for hit, told in ran(text, name):
        shown = f"\n```text\n{told}```\n" if told else ""
        parts += [text[end : hit.start()], f"```python\n{hit['code']}```\n{shown}"]
        end = hit.end()
    return "".join([*parts, text[end:]])


def main(arguments: list[str]) -> int:
    """Fill the pages."""
    for path in [Path(one) for one in arguments] or chapters():
        path.write_text(filled(path.read_text(encoding="utf-8"), path.name), encoding="utf-8")
        print(path.name)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
