"""The list of files of a bundle with their SHA-256, and the checks before anything of a bundle is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from temperance.records.atomic import write_text
from temperance.records.errors import BundleError
from temperance.records.plain_json import dumps
from temperance.records.plain_names import is_plain

FORMAT = "temperance-bundle"
SCHEMA = 1
MANIFEST = "manifest.json"
LIST = "several.json"  # of a folder of bundles, see several
REQUIRED = ("bundle.json", "model.onnx", "parity.npz")
LARGEST_JSON = 64 * 2**20
LARGEST_FILE = 2 * 2**30 - 1  # one protobuf message holds no more
MOST_FILES = 1000
MOST_DEEP = 8  # folders in one another
REMEDY = "Export the bundle again, or copy it again from where it was made"


def write_manifest(folder: Path) -> None:
    """Write ``manifest.json`` over every file in ``folder``."""
    files = {
        path.relative_to(folder).as_posix(): {"sha256": sha256(path), "bytes": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    body = {"format": FORMAT, "schema": SCHEMA, "files": files}
    (folder / MANIFEST).write_text(dumps(body, indent=1) + "\n", encoding="utf-8")


def add_texts(folder: Path, texts: Mapping[str, str]) -> None:
    """Put text files, e.g. cards, into a bundle that stands; it is whole at every moment.

    Raises:
        BundleError: a name that is not a plain file name.
        DataError: the disk is full.

    """
    for name in texts:
        if not is_plain(name, letters="any") or name in (MANIFEST, *REQUIRED):
            raise BundleError(f"a text file named {name!r}", "a plain file name that the bundle does not use")
    manifest = check_manifest(folder)
    for name in texts:
        manifest["files"].pop(name, None)
    _replace_manifest(folder, manifest)  # first forget the old texts: a file that is not listed is not checked
    for name, text in texts.items():
        write_text(folder / name, text)
        manifest["files"][name] = {"sha256": sha256(folder / name), "bytes": (folder / name).stat().st_size}
    _replace_manifest(folder, manifest)


def _replace_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    write_text(folder / MANIFEST, dumps(manifest, indent=1) + "\n")


def check_manifest(folder: Path) -> dict[str, Any]:
    """Check that ``folder`` is a whole, unchanged bundle of a known version.

    Returns:
        The manifest.

    Raises:
        BundleError: it is missing, foreign, newer, cut short or changed; the file is named.

    """
    if not folder.is_dir():
        raise BundleError(f"there is no folder {str(folder)!r}", "a bundle is a folder with a manifest.json")
    if (folder / LIST).is_file():
        inside = sorted(
            place.parent.relative_to(folder).as_posix()
            for pattern in (f"*/{MANIFEST}", f"bundle/*/{MANIFEST}")  # of their bundle, and of their study
            for place in folder.glob(pattern)
        )
        raise BundleError(
            f"the folder {folder.name!r} holds the models of several targets", "the bundle of one of them",
            f"Name one: {', '.join(str(folder / name) for name in inside[:8])}",
        )  # fmt: skip
    manifest = read_json(folder / MANIFEST)
    _check_version(manifest, folder)
    files = manifest.get("files")
    if not isinstance(files, dict) or not 0 < len(files) <= MOST_FILES:
        raise BundleError(f"{MANIFEST} of {folder.name!r} lists no files", "name → sha256 and bytes", REMEDY)
    for name in REQUIRED:
        if name not in files:
            raise BundleError(f"the bundle {folder.name!r} lacks {name}", f"a bundle has {', '.join(REQUIRED)}", REMEDY)
    for name, entry in files.items():
        _check_file(folder, name, entry)
    return manifest


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object of bounded size.

    Raises:
        BundleError: the file is missing, too large, or holds no object.

    """
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise BundleError(f"{path.name} has {path.stat().st_size} bytes", f"at most {LARGEST_JSON}", REMEDY)
        body = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BundleError(f"{path.parent} has no {path.name}", "a bundle written by temperance", REMEDY) from error
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"{path.name} cannot be read: {error}", "a JSON object", REMEDY) from error
    if not isinstance(body, dict):
        raise BundleError(f"{path.name} holds a {type(body).__name__}", "a JSON object", REMEDY)
    return body


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_version(manifest: Mapping[str, Any], folder: Path) -> None:
    if manifest.get("format") != FORMAT:
        raise BundleError(
            f"the folder {folder.name!r} is not a Temperance bundle (format {manifest.get('format')!r})",
            f"the format {FORMAT!r}",
            "Give the folder that `temperance study` wrote as DIR/bundle",
        )
    version = manifest.get("schema")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise BundleError(f"{MANIFEST} has the schema version {version!r}", f"a whole number up to {SCHEMA}", REMEDY)
    if version > SCHEMA:
        raise BundleError(
            f"the bundle {folder.name!r} was made by a newer Temperance (schema version {version})",
            f"this one reads up to version {SCHEMA}",
            "Update Temperance: pip install -U temperance",
        )


def _check_file(folder: Path, name: str, entry: Any) -> None:
    path = folder / name
    plain = all(is_plain(part, letters="any") for part in name.split("/")[:MOST_DEEP])
    if not plain or name.count("/") >= MOST_DEEP or any(p.is_symlink() for p in _steps(folder, name)):
        raise BundleError(f"the bundle names the file {name!r}", "files inside its own folder, no links", REMEDY)
    if not isinstance(entry, dict) or not isinstance(entry.get("sha256"), str):
        raise BundleError(f"{MANIFEST} has no checksum for {name!r}", "sha256 and bytes", REMEDY)
    if not path.is_file():
        raise BundleError(f"the bundle {folder.name!r} lacks the file {name}", "every file of its manifest", REMEDY)
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise BundleError(f"{name} has {size} bytes", f"at most {LARGEST_FILE}", "Ship a smaller model")
    if size != entry.get("bytes"):
        raise BundleError(f"{name} has {size} bytes", f"the manifest says {entry.get('bytes')}", REMEDY)
    if sha256(path) != entry["sha256"]:
        raise BundleError(f"{name} was changed or damaged: its SHA-256 differs", "the one in the manifest", REMEDY)


def _steps(folder: Path, name: str) -> Iterator[Path]:
    path = folder
    for part in Path(name).parts:
        path = path / part
        yield path
