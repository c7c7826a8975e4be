"""A bundle of bundles: one model for each of several targets, asked with the same rows."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from temperance.deployment.bundle import Bundle, load
from temperance.deployment.manifest import LIST, MANIFEST, REMEDY, read_json, sha256
from temperance.records.atomic import write_text
from temperance.records.errors import BundleError
from temperance.records.plain_json import dumps
from temperance.records.plain_names import is_plain

FORMAT = "temperance-bundles"
SCHEMA = 1
MOST = 500


@dataclass(frozen=True)
class Several:
    """Models of several targets.

    Attributes:
        folder: where they lie.
        parts: the folder inside, the target and the bundle of each.

    """

    folder: Path
    parts: tuple[tuple[str, str, Bundle], ...]


def holds_several(folder: Path) -> bool:
    """Tell whether a folder is a bundle of bundles."""
    return (folder / LIST).is_file()


def write_several(folder: Path, parts: Sequence[tuple[str, str, Path]]) -> None:
    """Copy bundles into a new folder, whole or not at all.

    Args:
        folder: goal; replaced where it is such a folder already.
        parts: the folder inside, the target and the bundle of each.

    """
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    listed = []
    for name, target, source in parts:
        shutil.copytree(source, draft / name)
        listed.append({"folder": name, "target": target, "manifest": sha256(draft / name / MANIFEST)})
    write_text(draft / LIST, dumps({"format": FORMAT, "schema": SCHEMA, "outputs": listed}, indent=1) + "\n")
    if holds_several(folder):
        shutil.rmtree(folder)
    draft.rename(folder)


def relist(part: Path) -> None:
    """Let the list above a bundle name its manifest as it is now; does nothing where no list stands above it.

    Args:
        part: a bundle whose papers were changed by their owner, e.g. signed.

    """
    place = part.resolve().parent / LIST
    card = read_json(place) if place.is_file() else {}
    if card.get("format") != FORMAT:
        return
    for entry in card["outputs"]:
        if entry.get("folder") == part.resolve().name:
            entry["manifest"] = sha256(part / MANIFEST)
    write_text(place, dumps(card, indent=1) + "\n")


def load_several(folder: Path, *, verify: bool = True) -> Several:
    """Load the bundles of a folder; see ``bundle.load``.

    Raises:
        BundleError: it is no bundle of bundles, names a folder outside, or one of them was exchanged or is damaged.

    """
    card = read_json(folder / LIST)
    outputs = card.get("outputs")
    if card.get("format") != FORMAT or card.get("schema") != SCHEMA or not isinstance(outputs, list):
        raise BundleError(
            f"{LIST} has the format {card.get('format')!r}, schema {card.get('schema')!r}",
            f"{FORMAT!r}, schema {SCHEMA}", "Update Temperance, or export the bundle again",
        )  # fmt: skip
    if not 0 < len(outputs) <= MOST:
        raise BundleError(f"{LIST} lists {len(outputs)} bundles", f"1 to {MOST}", REMEDY)
    parts = []
    for entry in outputs:
        name = entry.get("folder") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not is_plain(name, letters="any") or (folder / name).is_symlink():
            raise BundleError(f"{LIST} names the folder {name!r}", "folders inside its own, no links", REMEDY)
        if not (folder / name / MANIFEST).is_file() or sha256(folder / name / MANIFEST) != entry.get("manifest"):
            raise BundleError(f"the bundle {name!r} was changed or is missing", f"the one that {LIST} lists", REMEDY)
        bundle = load(folder / name, verify=verify)
        if entry.get("target") != bundle.schema.target.name:
            raise BundleError(
                f"the bundle {name!r} predicts {bundle.schema.target.name!r}", f"{entry.get('target')!r}", REMEDY
            )
        parts.append((name, bundle.schema.target.name, bundle))
    return Several(folder, tuple(parts))
