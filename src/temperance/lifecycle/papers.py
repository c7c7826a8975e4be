"""Writes every document of a finished study: cards, description of the data, and what travels in the bundle."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from temperance.deployment.bundle import Bundle
from temperance.deployment.export.papers import restate
from temperance.deployment.manifest import add_texts, check_manifest
from temperance.governance import AnnexIV, Bill, Card, Croissant, DatasetCard, ModelCard, Provenance
from temperance.governance.provenance import APART, RENEWAL
from temperance.governance.renewal_card import RenewalCard
from temperance.records.errors import DataError

ANSWERS = "annex_iv.toml"  # what the owner wrote


def write_papers(folder: Path, document: Mapping[str, Any], *, keep: bool = False) -> list[Path]:
    """Write the documents beside ``study.json`` and into the bundle; return those beside ``study.json``.

    Beside it: model card, dataset card, ``croissant.json`` and ``annex_iv.md``. Into the bundle go the first three, a
    bill of materials and, last, the provenance of every file.

    Args:
        folder: the study's folder.
        document: its ``study.json``.
        keep: leave documents as they are that the owner may have filled in.

    Raises:
        DataError: ``annex_iv.toml`` cannot be read.
        SettingError: it answers a point that does not exist.

    """
    answers = owners_answers(folder)
    cards: tuple[Card, ...] = (ModelCard(), DatasetCard(), Croissant(), AnnexIV(answers))
    written = []
    for card in cards:
        told_anew = isinstance(card, AnnexIV) and bool(answers)
        if keep and not told_anew and (folder / card.filename).exists():
            continue
        written.append(card.write(document, folder))
    bundle = folder / str(document.get("bundle") or "bundle")
    travelling = [path for path in written if path.name != AnnexIV.filename]
    if document.get("bundle") and bundle.is_dir() and travelling:
        add_texts(bundle, {path.name: path.read_text(encoding="utf-8") for path in travelling})
        prove(bundle, document)
    return written


def write_renewed_papers(document: Mapping[str, Any], before: Bundle) -> None:
    """Write model card, bill of materials and provenance into a bundle that was trained anew.

    Cards of the data are not taken over: they are of other data.

    Args:
        document: of ``retrain``.
        before: the bundle whose recipe it follows; where that has no bill or provenance, there is none.

    """
    bundle, data = Path(document["challenger"]["folder"]), document["data"]
    known = check_manifest(before.folder)["files"]
    card = before.folder / ModelCard.filename
    old = card.read_text(encoding="utf-8") if ModelCard.filename in known else ""
    told = RenewalCard(old).render(document)
    add_texts(bundle, {ModelCard.filename: told})
    entry = {
        "name": str(data["name"]),
        "digest": {"sha256": str(data["sha256"])},
        "annotations": {"role": "data", "rows": data["rows"], "digest": "of the values as they were read"},
    }
    restate(
        bundle, before, how=RENEWAL, told={"retrain": {"parent": before.version, "seed": document["seed"]}}, data=entry
    )


def prove(bundle: Path, document: Mapping[str, Any]) -> None:
    """Put bill of materials and provenance of its files into a bundle."""
    apart = {*APART, Bill.filename}
    files = {name: digest for name, digest in digests(bundle).items() if name not in apart}
    add_texts(bundle, {Bill.filename: Bill(files).render(document)})
    add_texts(bundle, {Provenance.filename: Provenance(digests(bundle)).render(document)})


def digests(bundle: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a bundle, checked."""
    return {name: entry["sha256"] for name, entry in check_manifest(bundle)["files"].items()}


def owners_answers(folder: Path) -> dict[str, str]:
    """Return what the owner wrote in ``annex_iv.toml``; empty where there is none.

    Raises:
        DataError: it is no TOML of texts.

    """
    place = folder / ANSWERS
    if not place.is_file():
        return {}
    try:
        found = tomllib.loads(place.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise DataError(f"{place} cannot be read: {fault}", 'lines such as "5" = "See risk file R-12."', "") from fault
    odd = [name for name, value in found.items() if not isinstance(value, str)]
    if odd:
        raise DataError(f"{place} has no text for {odd[0]!r}", '"5" = "See risk file R-12."', "Write one text a point")
    return found
