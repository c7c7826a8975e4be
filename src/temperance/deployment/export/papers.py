"""The papers of an exported bundle: bill of materials and provenance name the files that lie there now."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from temperance.deployment.bundle import Bundle
from temperance.deployment.manifest import add_texts, check_manifest
from temperance.governance.bill import SPACE, Bill
from temperance.governance.provenance import APART, EXPORT, FILENAME, read
from temperance.records.plain_json import dumps

HEAD = ("$schema", "bomFormat", "specVersion", "serialNumber", "version")


def restate(out: Path, source: Bundle, *, target: str, form: str) -> None:
    """Let the papers that were taken over from ``source`` speak of the files in ``out``.

    What a signature covers is the old statement, so none is taken over (see ``derive``): the export is signed anew.

    Args:
        out: an exported bundle that is whole.
        source: the bundle that it was made from; one without papers gets none.
        target: where it is to run.
        form: which form of the graph ships.

    """
    if Bill.filename in _files(out):
        bill = json.loads((out / Bill.filename).read_text(encoding="utf-8"))
        add_texts(out, {Bill.filename: dumps(_bill(bill, _files(out)), indent=1) + "\n"})
    statement = read((out / FILENAME).read_text(encoding="utf-8")) if FILENAME in _files(out) else None
    if isinstance(statement, dict):
        add_texts(out, {FILENAME: dumps(_statement(statement, _files(out), source, target, form), indent=1) + "\n"})


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
    statement: Mapping[str, Any], files: Mapping[str, str], source: Bundle, target: str, form: str
) -> dict[str, Any]:
    """Return the statement about these files: the same study, and the bundle that they were derived from."""
    predicate = statement["predicate"]
    definition = predicate["buildDefinition"]
    origin = {
        "name": f"bundle {source.version}",
        "digest": {"sha256": _files(source.folder)["model.onnx"]},
        "annotations": {"role": "model", "digest": "of model.onnx"},
    }
    made = {
        **definition,
        "buildType": EXPORT,
        "externalParameters": {**definition.get("externalParameters", {}), "export": {"target": target, "form": form}},
        "resolvedDependencies": [*definition["resolvedDependencies"], origin],
    }
    subjects = [{"name": n, "digest": {"sha256": d}} for n, d in sorted(files.items()) if n not in APART]
    return {**statement, "subject": subjects, "predicate": {**predicate, "buildDefinition": made}}
