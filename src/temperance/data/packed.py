"""A packed file (gz, xz, bz2, zip): unpacked into the scratch folder and opened as what it holds."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from temperance.data import fingerprint
from temperance.data.base import Contents, Source
from temperance.records.damaged import DAMAGED
from temperance.records.errors import DataError

_OPENERS: tuple[tuple[bytes, Callable[[Path], Any]], ...] = (
    (b"\x1f\x8b", gzip.open),
    (b"\xfd7zXZ", lzma.open),
    (b"BZh", bz2.open),
)

_DAMAGED = (*DAMAGED, tarfile.TarError)
LEAST = 2**30  # bytes that any packed file may unpack to
SWELL = 200  # times its own size that a larger one may unpack to
PAPERS = frozenset({"readme", "license", "licence", "changelog", "citation", "metadata", "datapackage"})


@dataclass(frozen=True)
class PackedFile(Source):
    """One packed file, or an archive with one table; ``member`` names it where there are several."""

    path: Path
    within: Callable[[Path], Source]
    member: str = ""

    def open(self, scratch: Path) -> Contents:
        try:
            inner = self._unpack(scratch)
        except DataError:
            raise
        except _DAMAGED as error:
            raise DataError(
                f"{self.path.name} cannot be unpacked ({str(error)[:100]})", "A complete gz, xz, bz2 or zip file",
                "Download or pack it again; a password must be taken off first",
            ) from error  # fmt: skip
        opened = self.within(inner).open(scratch)
        name = opened.name if zipfile.is_zipfile(self.path) else Path(self.path.stem).stem
        return replace(opened, name=name, fingerprint=fingerprint.of_file(self.path))

    def _unpack(self, scratch: Path) -> Path:
        if zipfile.is_zipfile(self.path):
            with zipfile.ZipFile(self.path) as archive:
                name = self._member(archive.namelist())
                with archive.open(name) as packed:
                    return self._copy(packed, scratch / Path(name).name)
        with self.path.open("rb") as stream:
            head = stream.read(6)
        opener = next((one for sign, one in _OPENERS if head.startswith(sign)), gzip.open)
        stem = self.path.stem
        with opener(self.path) as packed:
            copy = self._copy(packed, scratch / stem)
        return self._untar(copy, scratch) if tarfile.is_tarfile(copy) else copy

    def _untar(self, copy: Path, scratch: Path) -> Path:
        with tarfile.open(copy) as archive:
            name = self._member([one.name for one in archive.getmembers() if one.isfile()])
            packed = archive.extractfile(name)
            if packed is None:
                raise OSError(f"{name} is no file")
            (scratch / "member").mkdir(exist_ok=True)
            return self._copy(packed, scratch / "member" / Path(name).name)

    def _member(self, names: list[str]) -> str:
        tables = [
            n for n in names if not n.endswith("/") and not Path(n).name.startswith((".", "_")) and "__MACOSX" not in n
        ]
        papers = [
            n for n in tables if Path(n).stem.lower() in PAPERS or Path(n).suffix.lower() in (".md", ".pdf", ".html")
        ]
        if not self.member and len(tables) - len(papers) == 1:
            return next(name for name in tables if name not in papers)
        wanted = [name for name in tables if self.member in ("", name, Path(name).name, Path(name).stem)]
        if len(wanted) == 1:
            return wanted[0]
        raise DataError(
            f"{self.path.name} holds {len(tables)} files: {', '.join(tables[:8]) or 'none'}",
            "An archive with one table", "Name the file with --sheet",
        )  # fmt: skip

    def _copy(self, packed: Any, place: Path) -> Path:
        """Write what is unpacked.

        Raises:
            DataError: it swells to more than data do: such files are made to fill disks.

        """
        most, size = max(LEAST, SWELL * self.path.stat().st_size), 0
        with place.open("wb") as out:
            while part := packed.read(2**20):
                size += len(part)
                if size > most:
                    raise DataError(
                        f"{self.path.name} unpacks to more than {most:,} bytes, {SWELL} times its own size",
                        "Packed data that are no larger", "Unpack it yourself and pass what it holds",
                    )  # fmt: skip
                out.write(part)
        return place
