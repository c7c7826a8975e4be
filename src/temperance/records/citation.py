"""A reference to the publication behind a technique."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, order=True)
class Citation:
    """One publication: ``key`` is unique in the package, e.g. ``srivastava2014``."""

    key: str
    authors: str
    year: int
    title: str
    venue: str = ""
    arxiv: str = ""
    section: str = ""

    def __str__(self) -> str:
        where = ", ".join(
            part for part in (self.venue, f"arXiv:{self.arxiv}" if self.arxiv else "", self.section) if part
        )
        return f"{self.authors} ({self.year}). {self.title}." + (f" {where}." if where else "")

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return asdict(self)
