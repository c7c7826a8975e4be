"""One expert per file. Importing this room's ``load`` registers them all."""

from __future__ import annotations


def load() -> None:
    """Import every expert of the package, so that ``base.EXPERTS`` lists them."""
    from temperance.adaptation.experts import (  # noqa: F401
        alignment,
        bias,
        last_layer,
        members,
        prototypes,
        shares,
    )
