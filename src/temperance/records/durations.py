"""Durations as people say them."""

from __future__ import annotations


def words_for_seconds(seconds: float) -> str:
    """Return ``8 s``, ``2 min 05 s`` or ``1 h 10 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
