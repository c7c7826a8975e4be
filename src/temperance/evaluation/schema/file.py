"""Rules as a TOML file that a person can read and correct."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from temperance.evaluation.schema.rules import ColumnRule, Rules, from_dict
from temperance.records.errors import DataError

_HEAD = """\
# What a row may look like, and what may be changed in it. Proposed from the data: please correct it.
# change: "free", "fixed", or only "up" or "down" (an age, a count of visits). One unit of a budget is `scale`.
# A column that is not named here is fixed.
"""


def read(path: Path) -> Rules:
    """Return the rules of a file.

    Raises:
        DataError: no such file, or no TOML.
        SettingError: keys or values that are not rules.

    """
    try:
        text = path.read_text(encoding="utf-8")
        return from_dict(tomllib.loads(text))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(
            f"{path.name} cannot be read as rules of columns ({error})", "A TOML file", "Write one with the proposal"
        ) from error


def write(rules: Rules) -> str:
    """Return the text of a file that ``read`` gives back."""
    lines = [_HEAD]
    for key in ("at_most", "implies", "one_of"):
        if found := getattr(rules, key):
            lines.append(f"{key} = [{', '.join(_list(one) for one in found)}]")
    if rules.sums:
        sums = (f"{{parts = {_list(one.parts)}, total = {_text(one.total)}}}" for one in rules.sums)
        lines.append(f"sums = [{', '.join(sums)}]")
    for name, rule in rules.columns.items():
        lines += [f"\n[columns.{_text(name)}]", *_rule(rule)]
    return "\n".join(lines) + "\n"


def _rule(rule: ColumnRule) -> list[str]:
    lines = [f"{key} = {float(value)!r}" for key in ("low", "high") if (value := getattr(rule, key)) is not None]
    lines.append(f"change = {_text(rule.change)}")
    if rule.integer:
        lines.append("integer = true")
    if rule.scale != 1.0:
        lines.append(f"scale = {float(rule.scale)!r}")
    if rule.cost is not None:
        lines.append(f"cost = {float(rule.cost)!r}")
    if rule.values:
        lines.append(f"values = {_list(rule.values)}")
    return lines


def _list(names: tuple[str, ...]) -> str:
    return f"[{', '.join(map(_text, names))}]"


def _text(name: str) -> str:
    """Return a basic string of TOML: that of JSON, but for the character DEL."""
    return json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007f")
