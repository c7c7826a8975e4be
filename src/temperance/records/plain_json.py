"""The package's one way to write JSON: plain values, and null for every number that is not finite."""

from __future__ import annotations

import json
import math
from enum import Enum
from pathlib import Path
from typing import Any


def plain(value: Any) -> Any:
    """Return the value with JSON's own types; numbers that are not finite become null.

    Objects speak for themselves: ``to_dict`` (records) or ``tolist`` (NumPy, tensors). Others are refused.

    Raises:
        TypeError: a value of an unknown type, named.

    """
    if value is None or isinstance(value, (str, bool)):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, int):
        return int(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(plain(item) for item in value)
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "to_dict"):
        return plain(value.to_dict())
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    raise TypeError(f"{type(value).__name__} does not go into JSON")


def dumps(value: Any, *, indent: int | None = None) -> str:
    """Return the value as JSON text: letters as they are, no NaN and no Infinity."""
    return json.dumps(plain(value), indent=indent, ensure_ascii=False, allow_nan=False)
