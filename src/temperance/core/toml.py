"""Write the small part of TOML that recipes need (the standard library only reads it)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def dumps(row: Mapping[str, Any], path: str = "") -> str:
    """Return TOML of nested dicts, lists of dicts and plain values (str, bool, int, float, lists of these)."""
    plain = {k: v for k, v in row.items() if not _is_table(v) and not _is_tables(v)}
    lines = [f"{key} = {_value(value)}" for key, value in plain.items()]
    for key, value in row.items():
        here = f"{path}.{key}" if path else key
        if _is_table(value):
            lines += ["", f"[{here}]", dumps(value, here)]
        elif _is_tables(value):
            for one in value:
                lines += ["", f"[[{here}]]", dumps(one, here)]
    return "\n".join(line for line in lines if line or lines).strip("\n") + ("\n" if not path else "")


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_tables(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return repr(value)  # also inf and nan are spelt as TOML spells them
