"""Write the four files of a new technique: source, test, export, changelog line.

    python scripts/new_regularizer.py OutputPenalty --family targets

What is written works: it is a small penalty that passes the conformance suite. Replace its formula.
"""

from __future__ import annotations

import argparse
import datetime
import re
import subprocess
import sys
from pathlib import Path
from string import Template

from temperance.records.names import snake

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = Path(__file__).resolve().parent / "templates"


class Refused(Exception):
    """The name or the family cannot be used; the text says why and what to do."""


def main(arguments: list[str] | None = None, *, root: Path = ROOT) -> int:
    """Write the files below ``root`` and say which; return the exit status."""
    parser = argparse.ArgumentParser(description="Write the files of a new technique.")
    parser.add_argument("name", help="class name, e.g. OutputPenalty")
    parser.add_argument("--family", default="units", help="folder under src/temperance/regularizers")
    given = parser.parse_args(arguments)
    try:
        written = write(given.name, given.family, root=root)
    except Refused as refusal:
        print(f"Error: {refusal}", file=sys.stderr)
        return 2
    print("Written:", *written, sep="\n  ")
    print("Now put your formula in the first one, and run: make test ARGS='tests/regularizers'")
    return 0


def write(name: str, family: str, *, root: Path) -> list[Path]:
    """Write the four files and return their paths.

    Raises:
        Refused: the name is not a class name or is taken, or there is no such family.

    """
    room = root / "src" / "temperance" / "regularizers"
    check(name, family, room)
    address = snake(name)
    values = {
        "name": name, "family": family, "address": address, "words": re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name),
        "author": "Your name", "year": str(datetime.datetime.now(tz=datetime.UTC).year),
    }  # fmt: skip
    source = room / family / f"{address}.py"
    test = root / "tests" / "regularizers" / family / f"test_{address}.py"
    note = root / "changelog.d" / f"{address}.added.md"
    for path, template in ((source, "regularizer.py.txt"), (test, "test_regularizer.py.txt")):
        path.parent.mkdir(parents=True, exist_ok=True)
        text = Template((TEMPLATES / template).read_text(encoding="utf-8")).substitute(values)
        path.write_text(text, encoding="utf-8")
        _ruff("format", path)
    note.parent.mkdir(exist_ok=True)
    note.write_text(f"The technique `{name}`.\n", encoding="utf-8")
    export(room / "__init__.py", f"temperance.regularizers.{family}.{address}", name)
    return [path.relative_to(root) for path in (source, test, room / "__init__.py", note)]


def check(name: str, family: str, room: Path) -> None:
    """Refuse a bad name, an unknown family, a technique that exists."""
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]+", name):
        raise Refused(f"NAME={name!r} is no class name. Accepted: letters and digits, e.g. OutputPenalty.")
    families = sorted(path.name for path in room.iterdir() if path.is_dir() and path.name[0] not in "_.")
    if family not in families:
        raise Refused(f"FAMILY={family!r} does not exist. Accepted: {', '.join(families)}.")
    if re.search(rf"\bimport {name}\b", (room / "__init__.py").read_text(encoding="utf-8")):
        raise Refused(f"{name} exists already. Choose another NAME.")


def export(path: Path, module: str, name: str) -> None:
    """Add the export line, and sort."""
    text = path.read_text(encoding="utf-8")
    text = text.replace("\nfrom temperance.", f"\nfrom {module} import {name}\nfrom temperance.", 1)
    text = text.replace("__all__ = [\n", f'__all__ = [\n    "{name}",\n', 1)
    path.write_text(text, encoding="utf-8")
    _ruff("check", path, "--fix", "--select", "I,RUF022")


def _ruff(command: str, path: Path, *options: str) -> None:
    subprocess.run([sys.executable, "-m", "ruff", command, "--quiet", *options, str(path)], check=True, cwd=ROOT)


if __name__ == "__main__":
    raise SystemExit(main())
