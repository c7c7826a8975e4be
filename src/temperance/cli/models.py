"""Finds the bundle that an argument of the command line means."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from temperance.records.errors import BundleError, SettingError

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
    wrote = any((place / name).is_file() for name in ("study.json", "retrain.json")) or is_several(place)
    if is_several(place) and not inside.is_dir():
        raise BundleError(
            f"the study of several targets in {str(place)!r} has no model yet", "a study that finished a target",
            f"Go on with: temperance study --resume {shlex.quote(str(place))}",
        )  # fmt: skip
    return inside if wrote and inside.is_dir() else place


def bundle_of(place: Path, target: str | None) -> Path:
    """Return the bundle that ``place`` means, of the models of several targets that of ``target``.

    Raises:
        BundleError: there is no such folder, or it lists other bundles than it holds.
        SettingError: it is not said which target is meant.

    """
    from temperance.deployment.several import holds_several, load_several

    folder = bundle_folder(place)
    if not holds_several(folder):
        return folder
    parts = load_several(folder, verify=False).parts
    found = [folder / name for name, own, _ in parts if own == target]
    if len(found) == 1:
        return found[0]
    raise SettingError(
        f"the models of several targets {'without --target' if target is None else f'with --target {target}'}",
        f"one of {', '.join(dict.fromkeys(own for _, own, _ in parts))}",
        f"Name one with --target, or by its folder: {', '.join(str(folder / name) for name, _, _ in parts[:8])}",
    )


def is_several(place: Path) -> bool:
    """Tell whether a folder holds a study of several targets; a bundle of theirs has no studies in it."""
    return (place / "several.json").is_file() and (place / "outputs").is_dir()


def open_bundles(place: Path) -> list[tuple[str, Bundle]]:
    """Load the models that ``place`` means with their targets: one, or those of a study of several targets.

    Raises:
        BundleError: see ``deployment.load``.

    """
    from temperance.deployment.several import holds_several, load_several

    folder = bundle_folder(place)
    if holds_several(folder):
        return [(target, bundle) for _, target, bundle in load_several(folder).parts]
    bundle = open_bundle(place)
    return [(bundle.schema.target.name, bundle)]


def open_bundle(place: Path) -> Bundle:
    """Load the bundle that ``place`` means; see ``deployment.load``."""
    from temperance.deployment import load

    return load(bundle_folder(place))
