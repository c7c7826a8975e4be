"""The exceptions of the package.

    TemperanceError
    ├── SettingError     a setting outside its range (also a ValueError)
    ├── RecipeError      ingredients that cannot work together or on this model
    ├── DataError        a file, a column or a value that cannot be used
    ├── TaskError        what ``--task module:function`` gave cannot be trained
    ├── BudgetError      a budget that cannot be kept
    ├── StudyError       a study folder that cannot be resumed, replayed or reported
    ├── BundleError      a bundle that is damaged, foreign or newer
    ├── RequestError     a request to the server that is refused (4xx)
    └── MissingExtra     an optional dependency that is not installed (also an ImportError)

Each message has three parts: what was received, what is accepted, what to do.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable


class TemperanceError(Exception):
    """Base of every error that the package raises on purpose."""

    def __init__(self, received: str, accepted: str = "", remedy: str = "") -> None:
        self.received, self.accepted, self.remedy = received, accepted, remedy
        super().__init__(" ".join(_sentence(part) for part in (received, accepted, remedy) if part))

    def __reduce__(self) -> tuple[type[TemperanceError], tuple[str, str, str]]:
        return type(self), (self.received, self.accepted, self.remedy)


class SettingError(TemperanceError, ValueError):
    """A setting is outside its range."""


class RecipeError(TemperanceError):
    """Ingredients cannot work together, or not on this model and optimizer."""


class DataError(TemperanceError, ValueError):
    """A file, a column or a value cannot be used."""


class TaskError(TemperanceError):
    """A user's own task cannot be trained."""


class BudgetError(TemperanceError, ValueError):
    """A budget cannot be kept."""


class StudyError(TemperanceError):
    """A study folder cannot be resumed, replayed or reported."""


class BundleError(TemperanceError):
    """A bundle is damaged, foreign or of a newer version."""


class RequestError(TemperanceError):
    """A request to the server is refused; ``status`` is its HTTP status."""

    def __init__(self, received: str, accepted: str = "", remedy: str = "", *, status: int = 400) -> None:
        super().__init__(received, accepted, remedy)
        self.status = status


class MissingExtra(TemperanceError, ImportError):
    """An optional dependency is not installed."""


def nearest(name: str, names: Iterable[str]) -> str:
    """Return ``Did you mean 'x'?`` for the closest of ``names``, or an empty string."""
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else ""


def listed(names: Iterable[str]) -> str:
    """Return names in order, those that differ only in a number at the end as one: ``bin_…``."""
    return ", ".join(sorted({re.sub(r"_\d+$", "_…", name) for name in names}))


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "?", "!", ":")) else text + "."
