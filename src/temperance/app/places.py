"""What lies in the folder of the app: names in, paths out, and never a path that leads out of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from temperance.data.kinds import ENDINGS
from temperance.records.errors import DataError

LISTED = 200  # data files that are offered
LOOKED_AT = 20_000  # files of a folder that are looked at for links that lead out
LETTERS = 80
TABLES = frozenset(ENDINGS)
_ODD = re.compile(r"[^\w. ()+-]+")


@dataclass(frozen=True)
class Place:
    """The one folder that the app reads and writes."""

    root: Path

    def within(self, path: Path) -> bool:
        """Whether a path that exists lies in the folder, links followed."""
        try:
            return path.resolve(strict=True).is_relative_to(self.root.resolve())
        except (OSError, RuntimeError):  # absent, or a circle of links
            return False

    def file(self, folder: Path, name: str) -> Path | None:
        """Return a file of a folder by its plain name; None where there is none, or where it leads out."""
        if name != Path(name).name or name in ("", ".", ".."):
            return None
        path = folder / name
        return path if path.is_file() and self.within(path) else None

    def data(self) -> tuple[Path, ...]:
        """Return what may be picked: tables, and folders of images or Parquet files, directly in the folder."""
        found = (path for path in _listed(self.root) if self.may_be_picked(path))
        return tuple(found)[:LISTED]

    def picked(self, name: str) -> Path:
        """Return the file or folder of a name that was offered.

        Raises:
            DataError: there is none, or it leads out of the folder.

        """
        path = next((path for path in self.data() if path.name == name), None)
        if path is None:
            raise DataError(
                f"there is no data file {name[:LETTERS]!r} in the app's folder",
                "a table, or a folder of images, that lies directly in the folder of the app",
                "Choose one from the list, or upload it",
            )
        if path.is_dir() and _leads_out(path, self.root.resolve()):
            raise DataError(
                f"{name!r} holds a link that leads out of the app's folder", "files that lie in the folder",
                "Copy the files instead of linking to them",
            )  # fmt: skip
        return path

    def may_be_picked(self, path: Path) -> bool:
        """Whether something in the folder looks like data."""
        if path.name.startswith(".") or not self.within(path):
            return False
        if path.is_dir():
            return not path.is_symlink() and _holds_data(path)
        return path.is_file() and path.suffix.lower() in TABLES

    def free(self, stem: str) -> Path:
        """Return the path of a new folder for what is called ``stem``."""
        plain = re.sub(r"[^\w-]+", "-", stem).strip("-")[:LETTERS] or "data"
        numbers = (f"temperance-{plain}" + (f"-{i}" if i > 1 else "") for i in range(1, 1_000_000))
        return next(path for name in numbers if not os.path.lexists(path := self.root / name))


def tame(name: str) -> str:
    """Return an uploaded file's name as one that is safe on a disk and on a command line; its ending stays."""
    plain = _ODD.sub("_", name.replace("\\", "/").rpartition("/")[2]).strip(" .-")
    stem, dot, ending = plain.rpartition(".")
    short = f"{stem[:LETTERS]}{dot}{ending[:12]}" if stem else plain[:LETTERS]
    return short.strip(" ") or "data"


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir(), key=lambda path: path.name.lower())
    except OSError:
        return []


def _holds_data(folder: Path) -> bool:
    inside = [path for path in _listed(folder) if not path.name.startswith(".")]
    if any(path.suffix.lower() in (".parquet", ".pq") for path in inside):
        return True
    classes = [path for path in inside if path.is_dir()]
    return len(classes) >= 2 and any(_first_image(path) for path in classes[:3])


def _first_image(folder: Path) -> bool:
    kinds = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
    return any(path.suffix.lower() in kinds for path in _listed(folder)[:5])


def _leads_out(folder: Path, root: Path) -> bool:
    for count, path in enumerate(_walk(folder)):
        if count > LOOKED_AT:
            return False
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            return True
    return False


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        yield from (Path(place) / name for name in (*folders, *names))
