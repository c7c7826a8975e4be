"""Damage for files: bits flipped, parts cut, repeated, exchanged; and archives that are packed anew around damage."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

EDGES = (
    b"\x00" * 8,
    b"\xff" * 8,
    b"\x7f" + b"\xff" * 7,
    b"\x80" + b"\x00" * 7,
    b"\x01\x00\x00\x00",
    b"\n\n",
    b'"',
    b"{[",
)


def damaged(data: bytes, generator: np.random.Generator) -> bytes:
    """Return a damaged copy: one to four changes."""
    out = bytearray(data)
    for _ in range(int(generator.integers(1, 5))):
        size = max(len(out), 1)
        at, length = int(generator.integers(size)), int(generator.integers(1, max(2, min(64, size))))
        kind = int(generator.integers(7))
        if kind == 0 and out:
            out[at] ^= 1 << int(generator.integers(8))
        elif kind == 1:
            out[at : at + length] = generator.bytes(length)
        elif kind == 2:
            del out[at : at + length]
        elif kind == 3:
            out[at:at] = out[at : at + length]
        elif kind == 4 and size > 4:
            del out[int(generator.integers(size)) :]
        elif kind == 5:
            edge = EDGES[int(generator.integers(len(EDGES)))]
            out[at : at + len(edge)] = edge
        else:
            other = int(generator.integers(size))
            out[at : at + length], out[other : other + length] = out[other : other + length], out[at : at + length]
    return bytes(out)


def repacked(data: bytes, generator: np.random.Generator) -> bytes:
    """Return a zip archive in which a member, or its name, is damaged; the checksums of the archive fit."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    chosen = list(members)[int(generator.integers(len(members)))]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if generator.random() < 0.7 else zipfile.ZIP_STORED) as archive:
        for name, body in members.items():
            if name == chosen and generator.random() < 0.1:
                continue
            archive.writestr(name, damaged(body, generator) if name == chosen else body)
    return out.getvalue()


class Trap:
    """An object whose unpickling makes a file: it must never exist."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.marker),)


def traps(marker: Path) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of files that run code where they are unpickled."""
    trap = Trap(marker)
    yield "table.pkl", pickle.dumps(trap)
    yield "table.csv", pickle.dumps(trap)
    yield "table.parquet", pickle.dumps(trap)
    yield "table.npz", pickle.dumps(trap)
    objects, out = np.array([trap, trap], dtype=object), io.BytesIO()
    np.save(out, objects, allow_pickle=True)
    yield "table.npy", out.getvalue()
    out = io.BytesIO()
    np.savez(out, X=objects, y=np.arange(2))
    yield "objects.npz", out.getvalue()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("table.pkl", pickle.dumps(trap))
    yield "packed.zip", out.getvalue()
