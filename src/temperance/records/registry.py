"""Names to classes: what the package ships and what plug-ins add by entry points."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from temperance.records.errors import SettingError, nearest

T = TypeVar("T")


class Registry(Generic[T]):
    """A read-only view of one kind of strategy, by name.

    Args:
        kind: the word for one entry, used in errors: ``technique``, ``controller`` …
        group: entry-point group that plug-ins use, e.g. ``temperance.regularizers``.

    """

    def __init__(self, kind: str, group: str) -> None:
        self.kind, self.group = kind, group
        self._own: dict[str, type[T]] = {}
        self._plugins: dict[str, type[T]] | None = None

    def add(self, cls: type[T]) -> type[T]:
        """Register ``cls`` under its class name; usable as a decorator.

        Raises:
            SettingError: another class has the name.

        """
        known = self._own.get(cls.__name__)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise SettingError(
                f"{self.kind} {cls.__name__!r} is registered twice", "names are unique", "Rename one of them"
            )
        self._own[cls.__name__] = cls
        return cls

    def _all(self) -> dict[str, type[T]]:
        if self._plugins is None:
            self._plugins = {}
            for point in entry_points(group=self.group):
                self._plugins[point.name] = point.load()
        return {**self._plugins, **self._own}

    def __getitem__(self, name: str) -> type[T]:
        known = self._all()
        if name in known:
            return known[name]
        folded = {key.lower().replace("_", ""): key for key in known}
        short = name.lower().replace("_", "").replace("-", "")
        if short in folded:
            return known[folded[short]]
        raise SettingError(
            f"there is no {self.kind} {name!r}", f"known are {', '.join(sorted(known))}", nearest(name, known)
        )

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._all()))

    def __len__(self) -> int:
        return len(self._all())

    def items(self) -> list[tuple[str, type[T]]]:
        """Return (name, class), sorted by name."""
        return sorted(self._all().items())
