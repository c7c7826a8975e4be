"""A bundle that lives in memory: picklable, predicts through ONNX Runtime, can be written to a folder."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from temperance.deployment import Bundle, load
from temperance.deployment.manifest import check_manifest
from temperance.records.decision import Decision
from temperance.records.errors import BundleError
from temperance.records.schema import Rows, Schema


@dataclass(frozen=True, eq=False)
class PackedBundle:
    """The files of a bundle; the session starts on first use and is not pickled.

    Attributes:
        files: contents by relative path.

    """

    files: dict[str, bytes]

    @classmethod
    def of(cls, folder: Path) -> PackedBundle:
        """Take up a bundle that stands in a folder."""
        names = [*check_manifest(folder)["files"], "manifest.json"]
        return cls({name: (folder / name).read_bytes() for name in names})

    def write(self, folder: Path) -> Path:
        """Write the files to a new folder and return it.

        Raises:
            BundleError: the folder holds something already.

        """
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise BundleError(f"{str(folder)!r} holds something", "a new folder", "Choose another folder")
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            for name, data in self.files.items():
                (draft / name).parent.mkdir(parents=True, exist_ok=True)
                (draft / name).write_bytes(data)
            draft.chmod(0o755)
            draft.replace(folder)
        except OSError as fault:
            raise BundleError(
                f"the bundle cannot be written to {str(folder)!r}: {fault}", "a folder with room", "Choose another"
            ) from fault
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return folder

    @cached_property
    def bundle(self) -> Bundle:
        """The loaded bundle."""
        with tempfile.TemporaryDirectory(prefix="temperance-") as scratch:
            return load(self.write(Path(scratch) / "bundle"))

    @property
    def schema(self) -> Schema:
        """Columns and target."""
        schema: Schema = self.bundle.schema
        return schema

    @property
    def has_interval(self) -> bool:
        """Predictions come with ``low`` and ``high``."""
        return bool(self.bundle.has_interval)

    def interval(self, rows: Rows, *, level: float | None = None) -> tuple[NDArray[Any], NDArray[Any]] | None:
        """Return (low, high), each (b,), or None where the bundle states no intervals.

        Raises:
            BundleError: a level that the bundle has no width for.

        """
        if not self.bundle.has_interval:
            return None
        low, high = self.bundle.interval(rows, level=level)
        return low, high

    @property
    def decision(self) -> Decision | None:
        """How the bundle's probabilities become answers under costs."""
        found: Decision | None = self.bundle.decision
        return found

    def predict(self, rows: Rows) -> NDArray[Any]:
        """Return probabilities (b, c) or values (b,)."""
        answer: NDArray[Any] = self.bundle.predict(rows)
        return answer

    def __getstate__(self) -> dict[str, Any]:
        return {"files": self.files}

    def __setstate__(self, state: dict[str, Any]) -> None:
        object.__setattr__(self, "files", state["files"])
