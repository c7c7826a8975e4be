"""Is this bundle what its papers say? Checksums, answers, provenance, and the signature where a key is given."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from temperance.deployment import load
from temperance.deployment.manifest import check_manifest
from temperance.deployment.several import load_several, relist
from temperance.governance import provenance
from temperance.governance.provenance import ENVELOPE, FILENAME, Check
from temperance.governance.signature import opened, sign
from temperance.records.errors import BundleError
from temperance.records.plain_json import dumps


def verify_bundle(folder: Path, *, key: Path | None = None, data: Path | None = None) -> list[Check]:
    """Return what was verified of a bundle; nothing in it is run but its graph.

    Args:
        folder: of the bundle.
        key: file of the public key of the one who is said to have signed it; None: the signature is not checked.
        data: file that it is said to be made from; None: only the two records of its SHA-256 are compared.

    Raises:
        DataError: the key or the file of the data cannot be read.
        MissingExtra: a key was given and ``cryptography`` is not installed.

    """
    try:
        manifest = check_manifest(folder)
    except BundleError as fault:
        return [Check("checksums", "fails", str(fault))]
    files = {name: str(entry["sha256"]) for name, entry in manifest["files"].items()}
    found = [Check("checksums", "holds", f"All {len(files)} files have the checksums of the manifest.")]
    named: str | None = None
    try:
        bundle = load(folder, verify=False)
        details = bundle.card.get("details")
        told = details.get("data") if isinstance(details, dict) else None
        named = told if isinstance(told, str) else None
        worst = bundle.verify()
        found.append(Check("answers", "holds", f"It answers as when it was made; largest difference {worst:.1g}."))
    except BundleError as fault:
        found.append(Check("answers", "fails", str(fault)))
    statement = provenance.read(_text(folder, FILENAME, files)) if FILENAME in files else None
    if FILENAME in files:
        found += provenance.check(statement, files, data=named)
    else:
        found.append(
            Check(
                "provenance",
                "not checked",
                f"The bundle has no {FILENAME}. `temperance report` on a study writes it; a retraining has none.",
            )
        )
    if data is not None:
        found.append(_same_data(data, named))
    return [*found, _signature(folder, files, key)]


def verify_several(folder: Path, *, key: Path | None = None, data: Path | None = None) -> list[Check]:
    """Return what was verified of a bundle of bundles: its list, then each model, named by its folder.

    Args:
        folder: of the bundle of bundles.
        key: as in ``verify_bundle``.
        data: as in ``verify_bundle``.

    Raises:
        DataError: the key or the file of the data cannot be read.
        MissingExtra: a key was given and ``cryptography`` is not installed.

    """
    try:
        parts = load_several(folder, verify=False).parts
    except BundleError as fault:
        return [Check("list", "fails", str(fault))]
    found = [Check("list", "holds", f"The {len(parts)} bundles are those that it lists.")]
    for name, _, bundle in parts:
        checks = verify_bundle(bundle.folder, key=key, data=data)
        found += [Check(f"{name}: {check.name}", check.state, check.words) for check in checks]
    return found


def sign_bundle(folder: Path, key: Path) -> Path:
    """Sign the provenance of a bundle and put the envelope into it.

    Raises:
        BundleError: the bundle is damaged, has no provenance, or one that does not fit its files.
        DataError: the key cannot be read.
        MissingExtra: ``cryptography`` is not installed.

    """
    from temperance.deployment.manifest import add_texts

    files = {name: str(entry["sha256"]) for name, entry in check_manifest(folder)["files"].items()}
    if FILENAME not in files:
        raise BundleError(f"{folder.name!r} has no {FILENAME}", "a bundle of a study", "Run `temperance report` on it")
    text = _text(folder, FILENAME, files)
    wrong = [c for c in provenance.check(provenance.read(text), files) if c.state == "fails"]
    if wrong:
        raise BundleError(
            f"{FILENAME} does not fit the bundle: {wrong[0].words}", "files as they were when it was written",
            "Run `temperance report` on the study, then sign",
        )  # fmt: skip
    add_texts(folder, {ENVELOPE: dumps(sign(text.encode(), key), indent=1) + "\n"})
    relist(folder)
    return folder / ENVELOPE


def failed(checks: Sequence[Check]) -> bool:
    """Return whether one of the checks fails."""
    return any(check.state == "fails" for check in checks)


def _text(folder: Path, name: str, files: dict[str, str]) -> str:
    return (folder / name).read_bytes().decode("utf-8", "replace") if name in files else ""


def _same_data(place: Path, named: str | None) -> Check:
    from temperance.data.fingerprint import of_file
    from temperance.records.errors import DataError

    if not place.is_file():
        raise DataError(f"--data {place} is no file", "the one file that the model was made from", "Check the name")
    if not named:
        return Check("data file", "not checked", "The bundle does not name the SHA-256 of its data.")
    digest = of_file(place)
    if digest != named:
        return Check(
            "data file", "fails", f"{place.name} has the SHA-256 {digest[:12]}…, the bundle names {named[:12]}…."
        )
    return Check("data file", "holds", f"{place.name} is the file that the bundle was made from.")


def _signature(folder: Path, files: dict[str, str], key: Path | None) -> Check:
    there = ENVELOPE in files
    if key is None:
        why = "It is signed; give the public key with --key." if there else "It is not signed, and no key was given."
        return Check("signature", "not checked", why)
    if not there:
        return Check("signature", "fails", "A key was given, and the bundle is not signed.")
    try:
        envelope = json.loads(_text(folder, ENVELOPE, files))
    except (ValueError, RecursionError):
        return Check("signature", "fails", f"{ENVELOPE} is no JSON.")
    payload = opened(envelope, key)
    if payload is None:
        return Check("signature", "fails", f"{ENVELOPE} was not signed with the key that belongs to {key.name}.")
    if payload != _text(folder, FILENAME, files).encode():
        return Check(
            "signature", "fails", f"What was signed is not the {FILENAME} that lies there: it was written anew."
        )
    return Check("signature", "holds", f"The provenance was signed with the key that belongs to {key.name}.")
