"""What ``registry.json`` must look like, so that a file from elsewhere or one that was edited is refused in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VERSION = ("name", "version", "files", "added", "note")
MOVE = ("alias", "why", "time")
EVENTS = ("alias", "rollback")


def fault(content: Mapping[str, Any]) -> str:
    """Return the first thing that is wrong with a registry, in words; empty where nothing is.

    Args:
        content: with ``versions``, ``aliases`` and ``history``.

    """
    versions, aliases, history = content["versions"], content["aliases"], content["history"]
    if not isinstance(versions, list) or not isinstance(aliases, dict) or not isinstance(history, list):
        return "versions and history are lists, aliases are names with numbers"
    numbers = {_number(one, "number") for one in versions}
    if None in numbers or len(numbers) < len(versions) or not all(_texts(one, VERSION) for one in versions):
        return "each version has a number of its own, its files and its names"
    for name, number in aliases.items():
        if not _is_number(number) or number not in numbers:
            return f"the name {name[:80]!r} points at no version"
    depth: dict[str, int] = {}
    for row in history:
        if not _texts(row, MOVE) or row.get("event") not in EVENTS or _number(row, "to") not in numbers:
            return "a move in its history does not say what was moved, and to which version"
        depth[row["alias"]] = depth.get(row["alias"], 0) + (-1 if row["event"] == "rollback" else 1)
        if depth[row["alias"]] < 1:
            return f"{row['alias'][:80]!r} was rolled back more often than it was moved"
    return ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _number(row: Any, key: str) -> int | None:
    value = row.get(key) if isinstance(row, Mapping) else None
    return value if _is_number(value) else None


def _texts(row: Any, keys: tuple[str, ...]) -> bool:
    return isinstance(row, Mapping) and all(isinstance(row.get(key), str) for key in keys)
