"""One drift test per file. Importing this room's ``load`` registers them all."""

from __future__ import annotations


def load() -> None:
    """Import every detector of the package, so that ``base.DETECTORS`` lists them."""
    from temperance.monitoring.detectors import (  # noqa: F401
        kolmogorov_smirnov,
        shiryaev_roberts,
        stability_index,
    )
