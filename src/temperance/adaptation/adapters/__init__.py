"""One adapter per file. Importing this room's ``load`` registers them all."""

from __future__ import annotations


def load() -> None:
    """Import every adapter of the package, so that ``base.ADAPTERS`` lists them."""
    from temperance.adaptation.adapters import label_shift  # noqa: F401
