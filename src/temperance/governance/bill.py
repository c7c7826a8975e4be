"""The bill of materials of a bundle: CycloneDX 1.6 (ECMA-424), with the model, its data, its files and the packages."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote

from temperance.governance.base import Card, Study
from temperance.governance.declared import expression_of
from temperance.governance.model_card import PIPELINES, winner_of
from temperance.records.plain_json import dumps

SPEC = "1.6"
SPACE = uuid.UUID("7f1c9f6c-2f0e-5d0b-8a58-3d8f0a7f7d5b")  # of serial numbers made from the contents


@dataclass(frozen=True)
class Bill(Card):
    """Write ``bill_of_materials.cdx.json`` of a study's bundle.

    Its serial number follows from its contents, so equal bundles have equal bills.

    Args:
        files: SHA-256 in hex by name of file, of the bundle.

    """

    files: Mapping[str, str] = field(default_factory=dict)

    name: ClassVar[str] = "bill_of_materials"
    filename: ClassVar[str] = "bill_of_materials.cdx.json"

    def render(self, study: Study) -> str:
        """Return the JSON text."""
        body = self.describe(study)
        serial = uuid.uuid5(SPACE, dumps(body))
        head = {
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": SPEC,
            "serialNumber": f"urn:uuid:{serial}",
            "version": 1,
        }
        return dumps({**head, **body}, indent=1) + "\n"

    def describe(self, study: Study) -> dict[str, Any]:
        """Return the bill without its head."""
        packages, files = _packages(study), self.components()
        parts = [_data(study), *files, *packages]
        metadata: dict[str, Any] = {"tools": {"components": [_tool(study)]}, "component": _model(study)}
        if study.get("created"):
            metadata["timestamp"] = str(study["created"])
        return {
            "metadata": metadata,
            "components": parts,
            "dependencies": [{"ref": "model", "dependsOn": [part["bom-ref"] for part in parts]}],
        }

    def components(self) -> list[dict[str, Any]]:
        """Return the entries of the files."""
        return [
            {"type": "file", "bom-ref": f"file:{name}", "name": name, "hashes": _hashes(digest)}
            for name, digest in sorted(self.files.items())
        ]


def _hashes(digest: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": digest}]


def _tool(study: Study) -> dict[str, str]:
    return {"type": "application", "name": "temperance", "version": str(study.get("temperance") or "not stated")}


def _packages(study: Study) -> list[dict[str, Any]]:
    """Return the packages that the study ran on; Python itself is a platform."""
    versions = {"temperance": study.get("temperance"), **(study.get("versions") or {})}
    rows = []
    for name, version in versions.items():
        if not version:
            continue
        row = {
            "type": "platform" if name == "python" else "framework" if name == "torch" else "library",
            "bom-ref": f"package:{name}",
            "name": name,
            "version": str(version),
        }
        if name != "python":
            row["purl"] = f"pkg:pypi/{name}@{quote(str(version), safe='')}"
        rows.append(row)
    return rows


def _data(study: Study) -> dict[str, Any]:
    data = study.get("data") or {}
    people = next((f for f in study.get("findings") or [] if f.get("check") == "personal_data"), None)
    contents: dict[str, Any] = {"type": "dataset", "name": str(data.get("name") or "data")}
    if people is not None:
        contents["sensitiveData"] = [str(people.get("title") or "")]
    row: dict[str, Any] = {
        "type": "data",
        "bom-ref": "data",
        "name": str(data.get("name") or "data"),
        "description": f"{data.get('rows', 'not stated')} rows, target {data.get('target', 'not stated')}",
        "data": [contents],
    }
    if data.get("sha256"):
        row["hashes"] = _hashes(str(data["sha256"]))
    expression = expression_of(data.get("licence"))
    if expression:
        row["licenses"] = [_licence(expression)]
    return row


def _licence(expression: str) -> dict[str, Any]:
    from temperance.governance.licence import is_readable, spdx_name

    known = spdx_name(expression)
    if known:
        return {"license": {"id": known, "acknowledgement": "declared"}}
    if is_readable(expression):
        return {"expression": expression, "acknowledgement": "declared"}
    return {"license": {"name": expression, "acknowledgement": "declared"}}


def _model(study: Study) -> dict[str, Any]:
    data, trial = study.get("data") or {}, winner_of(study)
    schema = data.get("schema") or {}
    given = "image" if schema.get("kind") == "images" else "table row"
    gives = "number" if data.get("task") == "regression" else "probability for each class"
    parameters: dict[str, Any] = {
        "approach": {"type": "supervised"},
        "task": PIPELINES.get(str(data.get("task")), str(data.get("task") or "not stated")),
        "architectureFamily": str(trial.get("model") or "not stated"),
        "modelArchitecture": str(trial.get("name") or "not stated"),
        "datasets": [{"ref": "data"}],
        "inputs": [{"format": given}],
        "outputs": [{"format": gives}],
    }
    tested = (study.get("winner") or {}).get("test") or {}
    card: dict[str, Any] = {"modelParameters": parameters}
    metrics = [_metric(name, row) for name, row in tested.items() if row and row.get("value") is not None]
    metrics += _groups(study)
    if metrics:
        card["quantitativeAnalysis"] = {"performanceMetrics": metrics}
    limits = [str(one) for one in study.get("limits") or []]
    if limits:
        card["considerations"] = {"technicalLimitations": limits}
    card["properties"] = [
        {"name": f"temperance:{key}", "value": str(value)}
        for key, value in (
            ("seed", study.get("seed")),
            ("command", study.get("command")),
            ("trial", trial.get("id")),
            ("split", (study.get("roles") or {}).get("scheme")),
        )
        if value is not None and value != ""
    ]
    return {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": str(data.get("name") or "model"),
        "version": str(data.get("sha256") or "")[:12] or "not stated",
        "description": f"Predicts {data.get('target', 'not stated')}",
        "modelCard": card,
    }


def _metric(name: str, row: Mapping[str, Any], *, group: str = "") -> dict[str, Any]:
    """Return one metric as text; ``slice`` says on which rows."""
    out: dict[str, Any] = {
        "type": name,
        "value": repr(float(row["value"])),
        "slice": group or f"test rows, n = {row.get('n', 'not stated')}",
    }
    if row.get("low") is not None and row.get("high") is not None:
        bounds = {"lowerBound": repr(float(row["low"])), "upperBound": repr(float(row["high"]))}
        out["confidenceInterval"] = bounds
    return out


def _groups(study: Study) -> list[dict[str, Any]]:
    rows = [r for r in (study.get("winner") or {}).get("slices") or [] if r.get("state") == "worse"]
    return [
        _metric(str(r["measurement"].get("name")), r["measurement"], group=f"{r.get('column')} = {r.get('value')}")
        for r in rows
        if (r.get("measurement") or {}).get("value") is not None
    ]
