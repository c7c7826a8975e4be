"""Who is in the data, under which licence, and what the cards say: made from a study, with blanks for its owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from temperance.governance.annex_iv import AnnexIV
    from temperance.governance.base import Card
    from temperance.governance.bill import Bill
    from temperance.governance.croissant import Croissant
    from temperance.governance.dataset_card import DatasetCard
    from temperance.governance.declared import Declared, declared
    from temperance.governance.licence import LicenceVerdict, judge, strictest
    from temperance.governance.model_card import ModelCard
    from temperance.governance.provenance import Provenance
    from temperance.governance.representativeness import Representativeness

__all__ = [
    "AnnexIV", "Bill", "Card", "Croissant", "DatasetCard", "Declared", "LicenceVerdict", "ModelCard", "Provenance",
    "Representativeness", "declared", "judge", "strictest",
]  # fmt: skip
_HOMES = {
    "AnnexIV": "annex_iv",
    "Bill": "bill",
    "Croissant": "croissant",
    "Declared": "declared",
    "declared": "declared",
    "Provenance": "provenance",
    "Card": "base",
    "DatasetCard": "dataset_card",
    "ModelCard": "model_card",
    "LicenceVerdict": "licence",
    "judge": "licence",
    "strictest": "licence",
    "Representativeness": "representativeness",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
