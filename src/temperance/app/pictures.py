"""Pictures in a zip: unpacked into a folder that the reader takes, without trusting a name in the archive."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from temperance.data.image_folder import ENDINGS
from temperance.records.errors import DataError

DAMAGED = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError)
MOST = 200_000  # pictures
SWELL = 20  # times its own size that an archive may unpack to
LEAST = 64 * 2**20  # bytes that any archive may unpack to


def holds_pictures(path: Path) -> bool:
    """Return whether a file is a zip with more pictures in it than anything else."""
    if path.suffix.lower() != ".zip" or not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = [PurePosixPath(one.filename) for one in archive.infolist() if not one.is_dir()]
    except DAMAGED:  # the reader says what is wrong with it
        return False
    names = [name for name in names if _plain(name)]
    return sum(name.suffix.lower() in ENDINGS for name in names) * 2 > len(names) > 0


def unpack(path: Path) -> Path:
    """Unpack the pictures of a zip beside it, remove the zip, and return the folder.

    A picture keeps the folder that it lies in, which is its class; folders above that are passed over.

    Raises:
        DataError: it is damaged, or unpacks to more than can be meant well.

    """
    goal = path.with_suffix("")
    draft = path.with_name(f".{goal.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        with zipfile.ZipFile(path) as archive:
            _extract(archive, draft, max(LEAST, SWELL * path.stat().st_size))
        draft.replace(goal)
    except DAMAGED as error:
        raise DataError(
            f"the zip cannot be unpacked ({error})", "a zip without a password, a folder for each class",
            "Pack it anew, or put the folder beside the app and pick it there",
        ) from error  # fmt: skip
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    path.unlink()
    return goal


def _extract(archive: zipfile.ZipFile, goal: Path, largest: int) -> None:
    chosen = [one for one in archive.infolist() if not one.is_dir() and _is_picture(PurePosixPath(one.filename))]
    if len(chosen) > MOST or sum(one.file_size for one in chosen) > largest:
        raise DataError(
            f"the zip unpacks to {len(chosen):,} pictures or more than {largest:,} bytes", f"at most {MOST:,} pictures",
            "Put the folder beside the app and pick it there",
        )  # fmt: skip
    for number, one in enumerate(chosen):
        name = PurePosixPath(one.filename)
        parent = name.parent.name if _plain(PurePosixPath(name.parent.name or "x")) else ""
        place = goal / parent if parent else goal
        place.mkdir(parents=True, exist_ok=True)
        path = place / name.name
        path = path.with_name(f"{path.stem}-{number}{path.suffix}") if path.exists() else path
        with archive.open(one) as source, path.open("wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)


def _is_picture(name: PurePosixPath) -> bool:
    return _plain(name) and name.suffix.lower() in ENDINGS


def _plain(name: PurePosixPath) -> bool:
    """Whether a name is neither hidden, nor what systems leave in archives, nor one that leads elsewhere."""
    return not any(part.startswith((".", "__MACOSX")) or "\\" in part for part in name.parts)
