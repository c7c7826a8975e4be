"""A folder per class with images in it; all are brought to one size."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from temperance.data import fingerprint
from temperance.data.arrays import TARGET
from temperance.data.base import LARGE_BYTES, Contents, Source
from temperance.records.errors import DataError

ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
_ORIENTATION = 0x0112  # tag of EXIF
PARTS = frozenset({"train", "test", "val", "valid", "validation"})


@dataclass(frozen=True)
class ImageFolder(Source):
    """Images in one folder per class, or (to predict) images without class folders.

    Attributes:
        path: the folder.
        shape: height, width and channels to bring the images to; None = the most common size, sides up to ``max_side``.
        max_side: longest side that is kept.
        max_pixels: a file with more pixels is refused (a small file can unpack to a huge image).

    """

    path: Path
    shape: tuple[int, int, int] | None = None
    max_side: int = 64
    max_pixels: int = 50_000_000

    def open(self, scratch: Path) -> Contents:
        files, labels = self._list()
        notes: list[str] = []
        headers = [self._header(file) for file in files]
        self._one_class(labels)
        good = [i for i, header in enumerate(headers) if header is not None]
        shape = self.shape or self._shape([headers[i] for i in good if headers[i] is not None], notes)
        images, kept = self._load([files[i] for i in good], shape, scratch)
        kept = [good[i] for i in kept]
        if not kept:
            raise DataError(f"No image in {self.path.name} can be read", "PNG, JPEG and the like", "Check the files")
        lost = len(files) - len(kept)
        damaged = sorted(str(files[i].relative_to(self.path)) for i in set(range(len(files))) - set(kept))
        shown = ", ".join(damaged[:5]) + (" …" if lost > 5 else "")
        dropped = ({"rows": lost, "column": None, "why": f"The image file is damaged: {shown}."},) if lost else ()
        if lost:
            notes.append(f"{lost:,} of {len(files):,} image files cannot be read and were left out: {shown}.")
        notes += self._strangers(set(files))
        digest = fingerprint.of_files([files[i] for i in kept], root=self.path)
        frame = pl.DataFrame({TARGET: [labels[i] for i in kept]}) if labels[0] is not None else pl.DataFrame()
        return Contents(
            frame,
            name=self.path.resolve().name,
            fingerprint=digest,
            images=images,
            files=tuple(str(files[i].relative_to(self.path)) for i in kept),
            target=TARGET if frame.width else "",
            notes=tuple(notes),
            dropped=dropped,
        )

    def _list(self) -> tuple[list[Path], list[str | None]]:
        folders = sorted(p for p in self.path.iterdir() if p.is_dir() and not p.name.startswith("."))
        by_class = {folder.name: images_below(folder) for folder in folders}
        by_class = {name: found for name, found in by_class.items() if found}
        if by_class and {name.lower() for name in by_class} <= PARTS:
            parts = ", ".join(by_class)
            raise DataError(
                f"{self.path.name} holds the parts {parts}, not classes",
                "A folder with one folder per class",
                f"Pass {self.path / next(iter(by_class))}, and the test part with --test",
            )
        if by_class:
            pairs = [(file, name) for name, found in by_class.items() for file in found]
            return [file for file, _ in pairs], [name for _, name in pairs]
        files = images_below(self.path)
        if not files:
            raise DataError(
                f"{self.path.name} holds no images and no Parquet files",
                "One folder per class with images, or Parquet or CSV files",
                "Check the folder",
            )
        return files, [None] * len(files)

    def _one_class(self, labels: list[str | None]) -> None:
        """Refuse a folder for training with images of one class, and say where more are."""
        if self.shape is not None or len(set(labels)) != 1 or labels[0] is None or _images_in(self.path):
            return
        below = self.path / labels[0]
        inner = [p.name for p in below.iterdir() if p.is_dir() and images_below(p)]
        raise DataError(
            f"{self.path.name} holds images of one class only ({labels[0]!r}, {len(labels):,} images)",
            "Two or more folders, one per class",
            f"Pass {below}" if len(inner) > 1 else "Add a folder with images of another class",
        )

    def _strangers(self, images: set[Path]) -> list[str]:
        """Say which files of the folder are no images."""
        hidden = frozenset({"thumbs.db", "desktop.ini"})
        others = sorted(
            str(p.relative_to(self.path)) for p in self.path.rglob("*")
            if p.is_file() and p not in images and not p.name.startswith(".") and p.name.lower() not in hidden
        )  # fmt: skip
        if not others:
            return []
        shown = ", ".join(others[:5]) + (" …" if len(others) > 5 else "")
        return [f"{len(others):,} files of the folder are no images and were not read: {shown}."]

    def _header(self, file: Path) -> tuple[int, int, int] | None:
        """Return height, width and channels from the file's header, None where it is damaged."""
        try:
            with _opened(file) as image:
                size, mode = image.size, image.mode
                if image.getexif().get(_ORIENTATION, 1) >= 5:  # lies on its side
                    size = size[1], size[0]
        except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError):
            return None
        if size[0] * size[1] > self.max_pixels:
            raise DataError(
                f"{file.name} unpacks to {size[0]} × {size[1]} pixels",
                f"Up to {self.max_pixels:,} pixels per image",
                "Remove the file or make it smaller; such a file can exhaust the memory",
            )
        return size[1], size[0], 1 if mode in ("1", "L", "LA", "La") or mode[0] in "IF" else 3

    def _shape(self, headers: list[Any], notes: list[str]) -> tuple[int, int, int]:
        if not headers:
            raise DataError(f"No image in {self.path.name} can be read", "PNG, JPEG and the like", "Check the files")
        sizes = Counter((h, w) for h, w, _ in headers)
        (height, width), _ = sizes.most_common(1)[0]
        channels = max(c for _, _, c in headers)
        shrink = min(1.0, self.max_side / max(height, width))
        shape = max(1, round(height * shrink)), max(1, round(width * shrink)), channels
        if len(sizes) > 1 or shrink < 1.0:
            notes.append(f"Images of {len(sizes)} sizes were brought to {shape[0]} × {shape[1]} pixels.")
        return shape

    def _load(
        self, files: list[Path], shape: tuple[int, int, int], scratch: Path
    ) -> tuple[NDArray[np.uint8], list[int]]:
        full = (len(files), *shape)
        images: NDArray[np.uint8]
        if int(np.prod(full)) > LARGE_BYTES:
            images = np.lib.format.open_memmap(scratch / "images.npy", mode="w+", dtype=np.uint8, shape=full)
        else:
            images = np.empty(full, dtype=np.uint8)
        kept: list[int] = []
        for i, file in enumerate(files):
            try:
                with _opened(file) as image:
                    picture = _plain(image, shape[2])
                    if picture.size != (shape[1], shape[0]):
                        picture = picture.resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
                    images[len(kept)] = np.asarray(picture, dtype=np.uint8).reshape(shape)
            except (OSError, SyntaxError, ValueError):
                continue
            kept.append(i)
        return images[: len(kept)], kept


def _plain(image: Any, channels: int) -> Any:
    """Return a picture in grey or colour: upright, on white where it is transparent, 16 bits brought to 8."""
    image = ImageOps.exif_transpose(image)
    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        values = np.asarray(image, dtype=np.float64)
        most = 65535.0 if image.mode != "F" and values.max(initial=0.0) > 255 else max(255.0, values.max(initial=0.0))
        image = Image.fromarray(np.clip(np.round(values * (255.0 / most)), 0, 255).astype(np.uint8))
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (255, 255, 255, 255)), image)
    return image.convert("L" if channels == 1 else "RGB")


def _opened(file: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is checked on the header
        return Image.open(file)


def images_below(folder: Path) -> list[Path]:
    """Return the images of a folder and of those in it, in the order of their names."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS and p.is_file())


def _images_in(folder: Path) -> list[Path]:
    return [p for p in folder.iterdir() if p.suffix.lower() in ENDINGS and p.is_file()]
