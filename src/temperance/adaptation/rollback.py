"""Snapshots of an adapter's state, and a log that shows when it was changed afterwards."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.adaptation.base import State
from temperance.records.errors import BundleError, SettingError

SOURCE = 0  # version of the unadapted model


class Snapshots:
    """Numbered, checked copies of a state; version 0 is the source and is never dropped.

    Args:
        source: the neutral state.
        keep: adapted snapshots kept.

    """

    def __init__(self, source: State, *, keep: int = 16) -> None:
        if keep < 1:
            raise SettingError(f"keep={keep}", "at least 1", "Keep at least the last snapshot")
        self.keep = keep
        self._held: dict[int, tuple[State, str]] = {}
        self.next = SOURCE
        self.put(source)

    def put(self, state: State, *, version: int | None = None) -> int:
        """Keep a copy as ``version``, or as the next one; return it."""
        version = self.next if version is None else version
        self.next = version + 1
        copy = {name: np.array(array) for name, array in state.items()}
        for array in copy.values():
            array.setflags(write=False)
        self._held[version] = (copy, digest(copy))
        for old in [v for v in self._held if v != SOURCE][: -self.keep]:
            del self._held[old]
        return version

    def get(self, version: int) -> State:
        """Return the state of ``version`` exactly as it was put.

        Raises:
            BundleError: it is gone, or was changed in memory.

        """
        if version not in self._held:
            raise BundleError(f"snapshot {version}", f"one of {sorted(self._held)}", "Roll back to the source, 0")
        state, expected = self._held[version]
        if digest(state) != expected:
            raise BundleError(f"snapshot {version} was changed", "an untouched one", "Roll back to the source, 0")
        return state

    def digest(self, version: int) -> str:
        """Return the SHA-256 of ``version``."""
        return self._held[version][1]


class Log:
    """Events in a hash chain: each holds the hash of the one before, so a change or a gap shows.

    Args:
        events: events of an earlier log to go on with.

    """

    def __init__(self, events: list[dict[str, Any]] | None = None) -> None:
        self.events: list[dict[str, Any]] = list(events or [])

    def add(self, event: dict[str, Any]) -> dict[str, Any]:
        """Append ``event`` (JSON-safe) with the hash of the one before and its own."""
        row = {**event, "previous": self.events[-1]["hash"] if self.events else ""}
        row["hash"] = _hash(row)
        self.events.append(row)
        return row

    def packed(self) -> NDArray[np.uint8]:
        """Return all events as bytes, uint8 (b,), for a state."""
        return np.frombuffer(json.dumps(self.events).encode(), dtype=np.uint8)

    @classmethod
    def unpacked(cls, array: NDArray[np.uint8]) -> Log:
        """Return the log that ``packed`` put into a state; uint8 (b,)."""
        return cls(json.loads(array.tobytes()))

    def intact(self) -> bool:
        """Return whether no event was changed, dropped or moved."""
        before = ""
        for row in self.events:
            if row["previous"] != before or row["hash"] != _hash({k: v for k, v in row.items() if k != "hash"}):
                return False
            before = row["hash"]
        return True


def digest(state: State) -> str:
    """Return the SHA-256 of names, types, shapes and bytes."""
    total = hashlib.sha256()
    for name in sorted(state):
        array = np.ascontiguousarray(state[name])
        total.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def _hash(row: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(row, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
