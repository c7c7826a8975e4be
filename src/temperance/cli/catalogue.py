"""All techniques as plain records, derived from their classes; the command line and the docs show the same."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from temperance.core.regularizer import Regularizer


def catalogue() -> list[dict[str, Any]]:
    """Return every registered technique, by family and name."""
    rows = [describe(cls) for _, cls in _registry().items()]
    return sorted(rows, key=lambda row: (row["family"], row["name"]))


def entry(name: str) -> dict[str, Any]:
    """Return one technique.

    Raises:
        SettingError: there is none of this name; the nearest is named.

    """
    return describe(_registry()[name])


def describe(cls: type[Regularizer]) -> dict[str, Any]:
    """Return what is known about one technique, JSON-safe."""
    from temperance.records.names import snake

    stages = list(cls.stages())
    return {
        "name": cls.__name__, "address": snake(cls.__name__), "family": cls.family,
        "stage": stages[0] if stages else "", "stages": stages, "summary": cls.summary(),
        "doc": inspect.getdoc(cls) or "",
        "strengths": {name: {"name": name, **strength.to_dict()} for name, strength in cls.strengths.items()},
        "cost": cls.cost.to_dict(),
        "references": [{**one.to_dict(), "text": str(one)} for one in cls.citations],
        "rank": cls.rank.name.lower(), "averages": cls.averages, "unique": cls.unique, "roles": list(cls.roles),
        "exceptions": dict(cls.exceptions), "module": cls.__module__,
    }  # fmt: skip


def _registry() -> Any:
    import temperance.regularizers  # noqa: F401  # fills the registry
    from temperance.core.regularizer import techniques

    return techniques
