"""What may be taken away from a study: its files by name, and its model as one archive."""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from temperance.app.places import Place
from temperance.app.project import home

BUNDLE = "bundle.zip"
FILES = (
    ("report.html", "text/html"), ("model_card.md", "text/markdown"), ("dataset_card.md", "text/markdown"),
    ("leaderboard.csv", "text/csv"), ("study.json", "application/json"),
)  # fmt: skip
SCHEMA = "columns.toml"
PREDICTIONS = "predictions"


@dataclass(frozen=True)
class Taken:
    """One file that may be downloaded.

    Attributes:
        name: under which it is saved.
        kind: its media type.
        size: in bytes; 0 where it is made when it is asked for.

    """

    name: str
    kind: str
    size: int = 0


def offered(place: Place, folder: Path) -> list[Taken]:
    """Return what there is to take, the model first."""
    found = [Taken(BUNDLE, "application/zip")] if bundle_files(place, folder) else []
    for name, kind in FILES:
        path = place.file(folder, name)
        if path is not None:
            found.append(Taken(name, kind, path.stat().st_size))
    return found


def predictions(place: Place, folder: Path) -> list[Taken]:
    """Return the files of predictions that were made, the latest first."""
    inside = home(folder) / PREDICTIONS
    names = sorted(inside.glob("*.csv"), key=lambda path: -path.stat().st_mtime) if inside.is_dir() else []
    kept = [path for path in names if place.file(inside, path.name) is not None]
    return [Taken(path.name, "text/csv", path.stat().st_size) for path in kept]


def bundle_files(place: Place, folder: Path) -> list[Path]:
    """Return the files of a study's model; those that lead out of the folder of the app are none of it."""
    inside = folder / "bundle"
    if not inside.is_dir() or inside.is_symlink() or place.file(inside, "manifest.json") is None:
        return []
    return sorted(path for path in inside.rglob("*") if path.is_file() and place.within(path))


def pack(place: Place, folder: Path) -> Path:
    """Write the model as an archive beside nothing else, and return it; who asked removes it."""
    with tempfile.NamedTemporaryFile(prefix="temperance-bundle-", suffix=".zip", delete=False) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in bundle_files(place, folder):
                archive.write(path, Path("bundle") / path.relative_to(folder / "bundle"))
        return Path(file.name)
