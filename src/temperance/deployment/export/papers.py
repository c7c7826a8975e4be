"""Papers of a bundle that was made from another one: bill of materials and provenance name the files there now."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from temperance.deployment.bundle import Bundle
from temperance.deployment.manifest import add_texts, check_manifest
from temperance.governance.bill import SPACE, Bill
from temperance.governance.provenance import APART, FILENAME, read
from temperance.records.plain_json import dumps

HEAD = ("$schema", "bomFormat", "specVersion", "serialNumber", "version")


def restate(
    out: Path, source: Bundle, *, how: str, told: Mapping[str, Any], data: Mapping[str, Any] | None = None
) -> None:
    """Let the papers of ``source`` speak of the files in ``out``.

    What a signature covers is the old statement, so none is taken over (see ``derive``): the new bundle is signed anew.

    Args:
        out: a bundle that is whole and was made from ``source``.
        source: the bundle that it was made from; one without papers gives none.
        how: type of the build, ``provenance.EXPORT`` or ``RENEWAL``.
        told: what is to be known of it, for the external parameters.
        data: the entry of other data that it was made from; None: those of the source.

    """
    known = _files(source.folder)
    if Bill.filename in known:
        bill = json.loads((source.folder / Bill.filename).read_text(encoding="utf-8"))
        add_texts(out, {Bill.filename: dumps(_bill(bill, _files(out)), indent=1) + "\n"})
    statement = read((source.folder / FILENAME).read_text(encoding="utf-8")) if FILENAME in known else None
    if isinstance(statement, dict):
        made = _statement(statement, _files(out), source, how, told, data)
        add_texts(out, {FILENAME: dumps(made, indent=1) + "\n"})


def _files(folder: Path) -> dict[str, str]:
    return {name: str(entry["sha256"]) for name, entry in check_manifest(folder)["files"].items()}


def _bill(bill: dict[str, Any], files: Mapping[str, str]) -> dict[str, Any]:
    """Return the bill with the components of these files in place of the old ones, under a new serial number."""
    kept = [part for part in bill["components"] if part.get("type") != "file"]
    told = {name: digest for name, digest in files.items() if name not in {*APART, Bill.filename}}
    parts = [*kept, *Bill(told).components()]
    body = {name: value for name, value in bill.items() if name not in HEAD} | {"components": parts}
    body["dependencies"] = [{"ref": "model", "dependsOn": [part["bom-ref"] for part in parts]}]
    serial = f"urn:uuid:{uuid.uuid5(SPACE, dumps(body))}"
    return {name: bill[name] for name in HEAD if name in bill} | {"serialNumber": serial} | body


def _statement(
    statement: Mapping[str, Any], files: Mapping[str, str], source: Bundle, how: str, told: Mapping[str, Any],
    data: Mapping[str, Any] | None,
) -> dict[str, Any]:  # fmt: skip
    """Return the statement about these files: the same study, and the bundle that they were derived from."""
    predicate = statement["predicate"]
    definition = predicate["buildDefinition"]
    origin = {
        "name": f"bundle {source.version}",
        "digest": {"sha256": _files(source.folder)["model.onnx"]},
        "annotations": {"role": "model", "digest": "of model.onnx"},
    }
    needed = definition["resolvedDependencies"]
    if data is not None:
        needed = [data, *(one for one in needed if one.get("annotations", {}).get("role") != "data")]
    made = {
        **definition,
        "buildType": how,
        "externalParameters": {**definition.get("externalParameters", {}), **told},
        "resolvedDependencies": [*needed, origin],
    }
    subjects = [{"name": n, "digest": {"sha256": d}} for n, d in sorted(files.items()) if n not in APART]
    return {**statement, "subject": subjects, "predicate": {**predicate, "buildDefinition": made}}
