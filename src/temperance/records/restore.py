"""Frozen settings and results from the dicts that files hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Self

from temperance.records.errors import SettingError


def known(cls: type, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of ``row`` that are fields of the dataclass ``cls``; newer files may hold more."""
    names = {field.name for field in fields(cls)}
    return {key: value for key, value in row.items() if key in names}


def settings(cls: type, row: Mapping[str, Any], *, besides: Iterable[str] = ("name",)) -> dict[str, Any]:
    """Return the entries of ``row`` without ``besides``: what a person may have written, so nothing is ignored.

    Raises:
        SettingError: an entry is no field of the dataclass ``cls``.

    """
    given = {key: value for key, value in row.items() if key not in besides}
    names = {field.name for field in fields(cls)}
    extra = sorted(set(given) - names)
    if extra:
        raise SettingError(f"{cls.__name__} got the settings {extra}", f"it knows {sorted(names)}", "Remove the others")
    return given


class Restored:
    """A dataclass that is rebuilt from what its ``to_dict`` gave."""

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Self:
        """Rebuild from ``to_dict``; unknown keys are ignored, so newer files can be read."""
        return cls(**known(cls, row))
