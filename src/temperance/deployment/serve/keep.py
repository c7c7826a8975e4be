"""What a server has learnt from its traffic, kept in a folder: written whole or not at all, read again at the start."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from temperance.records.atomic import write_bytes
from temperance.records.damaged import DAMAGED, arrays_in
from temperance.records.errors import BundleError, SettingError, TemperanceError

STATE, LOCK = "state.npz", "lock"
State = Mapping[str, NDArray[Any]]


class Stateful(Protocol):
    """What can be kept; ``monitoring.Monitor`` is one."""

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return all that changes, as arrays."""
        ...

    def load_state_dict(self, state: State) -> None:
        """Go on exactly where ``state_dict`` was taken."""
        ...


class Keep:
    """Keeps the state of several parts in ``folder`` for one version of a model.

    Args:
        folder: made where it is missing; one server uses it at a time.
        version: of the bundle; the state of another version is put aside as ``state-VERSION.npz``.
        parts: what is kept, by name.

    Raises:
        SettingError: another server uses the folder, or it cannot be written.

    """

    def __init__(self, folder: Path, version: str, parts: Mapping[str, Stateful]) -> None:
        self.folder, self.version, self.parts = folder, version, dict(parts)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = (folder / LOCK).open("w")
            _hold(self._lock)
        except BlockingIOError as error:
            raise SettingError(
                f"another server keeps its state in {str(folder)!r}", "one server for each folder",
                "Stop it, or choose another --state",
            ) from error  # fmt: skip
        except OSError as error:
            raise SettingError(
                f"the state cannot be kept in {str(folder)!r}: {error}", "a folder that can be written",
                "Choose another --state, or --state none",
            ) from error  # fmt: skip

    def load(self) -> bool:
        """Let the parts go on where they were; return whether there was a state of this version.

        Raises:
            BundleError: the file is damaged or does not fit.

        """
        path = self.folder / STATE
        if not path.exists():
            return False
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = arrays_in(file)
            found = str(arrays["version"])
            if found != self.version:
                os.replace(path, self.folder / f"state-{found if found.isalnum() else 'other'}.npz")
                return False
            for name, part in self.parts.items():
                own = {k.removeprefix(f"{name}/"): v for k, v in arrays.items() if k.startswith(f"{name}/")}
                if own:
                    part.load_state_dict(own)
        except (*DAMAGED, TemperanceError) as error:
            raise BundleError(
                f"the state in {str(path)!r} cannot be read: {error}", "what this server wrote",
                "Move the file away to begin anew",
            ) from error  # fmt: skip
        return True

    def save(self) -> None:
        """Write the state of all parts as it is now; nothing once another has the folder."""
        if self._lock.closed:
            return
        arrays = {f"{name}/{k}": v for name, part in self.parts.items() for k, v in part.state_dict().items()}
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, version=np.array(self.version), **arrays)
        write_bytes(self.folder / STATE, file.getvalue())

    def close(self) -> None:
        """Let another server have the folder."""
        self._lock.close()


def _hold(file: Any) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: two servers on one folder would overwrite each other; it is not caught there
        return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
