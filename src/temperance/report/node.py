"""A value of ``study.json`` that knows where it came from, so that no figure is shown without its source."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Node:
    """One value and its JSON Pointer (RFC 6901).

    A missing key or index gives a ``Node`` of None instead of an error: each part of a study is optional.

    Example:
        >>> Node({"winner": {"test": {"accuracy": {"value": 0.94}}}})["winner"]["test"]["accuracy"]["value"].pointer
        '/winner/test/accuracy/value'

    """

    raw: Any
    pointer: str = ""

    def __getitem__(self, key: str | int) -> Node:
        where = f"{self.pointer}/{escaped(key)}"
        if isinstance(self.raw, dict) and isinstance(key, str):
            return Node(self.raw.get(key), where)
        if isinstance(self.raw, list) and isinstance(key, int) and 0 <= key < len(self.raw):
            return Node(self.raw[key], where)
        return Node(None, where)

    def __iter__(self) -> Iterator[Node]:
        if isinstance(self.raw, list):
            return iter([self[i] for i in range(len(self.raw))])
        if isinstance(self.raw, dict):
            return iter([self[key] for key in self.raw])
        return iter([])

    def __len__(self) -> int:
        return len(self.raw) if isinstance(self.raw, list | dict) else 0

    def __bool__(self) -> bool:
        return self.raw not in (None, "", [], {})

    @property
    def key(self) -> str:
        """Last part of the pointer: the name under which the value stands."""
        return unescaped(self.pointer.rsplit("/", 1)[-1])

    @property
    def number(self) -> float | None:
        """The value as a finite number, or None."""
        if isinstance(self.raw, bool) or not isinstance(self.raw, int | float):
            return None
        return float(self.raw) if math.isfinite(self.raw) else None

    @property
    def text(self) -> str:
        """The value as text; empty when it is missing."""
        return "" if self.raw is None else str(self.raw)


def escaped(key: str | int) -> str:
    """Write one part of a JSON Pointer."""
    return str(key).replace("~", "~0").replace("/", "~1")


def unescaped(part: str) -> str:
    """Read one part of a JSON Pointer."""
    return part.replace("~1", "/").replace("~0", "~")


def resolve(document: Any, pointer: str) -> Any:
    """Return the value that a JSON Pointer names.

    Raises:
        KeyError: the document has no such place.

    """
    value = document
    for part in pointer.split("/")[1:]:
        key = unescaped(part)
        if isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        elif isinstance(value, dict) and key in value:
            value = value[key]
        else:
            raise KeyError(pointer)
    return value
