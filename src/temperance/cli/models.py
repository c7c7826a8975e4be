"""Finds the bundle that an argument of the command line means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from temperance.records.errors import BundleError

if TYPE_CHECKING:
    from temperance.deployment import Bundle


def bundle_folder(place: Path) -> Path:
    """Return the bundle itself for a bundle, or the one inside the folder of a study or a retraining.

    Raises:
        BundleError: there is no such folder.

    """
    if not place.is_dir():
        raise BundleError(f"there is no folder {str(place)!r}", "a bundle, or the folder of a study", "Check the name")
    inside = place / "bundle"
    wrote = any((place / name).is_file() for name in ("study.json", "retrain.json"))
    return inside if wrote and inside.is_dir() else place


def open_bundle(place: Path) -> Bundle:
    """Load the bundle that ``place`` means; see ``deployment.load``."""
    from temperance.deployment import load

    return load(bundle_folder(place))
