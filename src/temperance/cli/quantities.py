"""Times and sizes as people write them."""

from __future__ import annotations

import re

from temperance.records.errors import SettingError

_TIMES_MS = {"us": 1e-3, "µs": 1e-3, "μs": 1e-3, "ms": 1.0, "s": 1e3}
_SIZES = {"b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "kib": 2**10, "mib": 2**20, "gib": 2**30}


def milliseconds(text: str) -> float:
    """Read ``5ms``, ``300us`` or ``0.5s`` as milliseconds.

    Raises:
        SettingError: not of this form, or not above 0.

    """
    return _read(text, _TIMES_MS, "--max-latency", "a time for one row such as 5ms, 300us or 0.5s", "5ms")


def bytes_of(text: str) -> float:
    """Read ``2MB``, ``500kB`` or ``1.5MiB`` as bytes.

    Raises:
        SettingError: not of this form, or not above 0.

    """
    return _read(text, _SIZES, "--max-size", "a size such as 500kB, 2MB or 1.5MiB", "2MB")


def _read(text: str, units: dict[str, float], option: str, accepted: str, example: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?|\.\d+)([a-zµμ]+)", text.strip().lower().replace(" ", ""))
    if match is None or match[2] not in units or not float(match[1]) > 0:
        raise SettingError(f"{option} got {text!r}", accepted, f"Write {option} {example}")
    return float(match[1]) * units[match[2]]
