"""Croissant 1.1: the data set as JSON-LD that catalogues and loaders of data read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, ClassVar

from temperance.governance.base import Card, Study
from temperance.governance.declared import expression_of
from temperance.records.plain_json import dumps

CONFORMS = "http://mlcommons.org/croissant/1.1"
NOT_STATED = "not stated"
MEDIA = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "jsonl": "application/jsonlines",
    "parquet": "application/x-parquet",
}  # one file that is one table; of others the description ends at the data set
READ_BY_COLUMN = ("text/csv", "text/tab-separated-values", "application/x-parquet")
TYPES = {"numeric": "sc:Float", "categorical": "sc:Text", "text": "sc:Text", "time": "sc:Date", "date": "sc:Date"}
OWNERS = ("dataCollection", "dataCollectionType", "dataUseCases", "dataSocialImpact", "annotationsPerItem")
# The vocabulary of the specification, docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html
_OWN = (
    "arrayShape citeAs column containedIn equivalentProperty extract field fileProperty fileObject fileSet format "
    "includes isArray isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated replace "
    "samplingRate separator source subField transform"
)
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "name": {"@container": "@language"},
    "description": {"@container": "@language"},
    **{word: f"cr:{word}" for word in _OWN.split()},
}


@dataclass(frozen=True)
class Croissant(Card):
    """Write ``croissant.json`` from a study (MLCommons Croissant 1.1 with its RAI vocabulary).

    What the study does not know is the text "not stated": nothing is guessed. The file is named by its name alone, so
    a loader looks for it beside ``croissant.json``.
    """

    name: ClassVar[str] = "croissant"
    filename: ClassVar[str] = "croissant.json"

    def render(self, study: Study) -> str:
        """Return the JSON-LD text."""
        return dumps(describe(study), indent=1) + "\n"


def describe(study: Study) -> dict[str, Any]:
    """Return the description as a mapping."""
    data = study.get("data") or {}
    name = str(data.get("name") or "data")
    fields: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS,
        "name": name,
        "description": _description(data),
        "license": _licence(data),
        "version": f"0.0.0+sha256.{str(data.get('sha256') or '')[:12] or 'unknown'}",
        "keywords": ["temperance", str(data.get("task") or NOT_STATED)],
        **_responsible(study),
    }
    if study.get("created"):
        fields["sdDatePublished"] = str(study["created"])
    file = _file(data)
    if file is not None:
        fields["distribution"] = [file]
        records = _records(data, file)
        fields |= {"recordSet": [records]} if records else {}
    return fields


def _description(data: Mapping[str, Any]) -> str:
    rows, target = data.get("rows"), data.get("target")
    said = f"{rows:,} rows" if isinstance(rows, int) else "Rows"
    return f"{said} from which {target} is predicted. What the data are about is {NOT_STATED} by their owner."


def _licence(data: Mapping[str, Any]) -> str:
    """Return the address of a licence of the SPDX list, else its expression, else that none is stated."""
    from temperance.governance.licence import spdx_name

    expression = expression_of(data.get("licence"))
    if expression is None:
        return NOT_STATED
    known = spdx_name(expression)
    return f"https://spdx.org/licenses/{known}.html" if known else expression


def _responsible(study: Study) -> dict[str, str]:
    """Return the RAI properties: from the audit where it looked, "not stated" where only the owner knows."""
    found = [f for f in study.get("findings") or [] if isinstance(f, Mapping)]
    people = [str(f.get("title")) for f in found if f.get("check") == "personal_data"]
    faults = [str(f.get("title")) for f in found if f.get("state") in ("fix_before_use", "look_at_this")]
    groups = [str(f.get("title")) for f in found if f.get("check") == "representativeness"]
    filled = {
        "personalSensitiveInformation": " ".join(people),
        "dataLimitations": " ".join(faults),
        "dataBiases": " ".join(groups),
        "dataPreprocessingProtocol": " ".join(map(str, (study.get("data") or {}).get("notes") or [])),
    }
    told = {key: text or NOT_STATED for key, text in filled.items()} | dict.fromkeys(OWNERS, NOT_STATED)
    return {f"rai:{key}": text for key, text in sorted(told.items())}


def _file(data: Mapping[str, Any]) -> dict[str, Any] | None:
    name = PurePath(str(data.get("path") or "").replace("\\", "/")).name
    media = MEDIA.get(name.rpartition(".")[2].lower()) if "." in name else None
    digest = str(data.get("sha256") or "")
    if media is None or not digest:
        return None
    return {
        "@type": "cr:FileObject",
        "@id": "data-file",
        "name": name,
        "contentUrl": name,
        "encodingFormat": media,
        "sha256": digest,
    }


def _records(data: Mapping[str, Any], file: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the columns as fields; None where the schema holds columns that are no columns of the file."""
    if file["encodingFormat"] not in READ_BY_COLUMN:
        return None
    schema = data.get("schema") or {}
    made = ("long", "forecast")  # columns that were put together from several rows
    if schema.get("kind") not in (None, "table") or any(schema.get(one) for one in made):
        return None
    columns = [c for c in schema.get("columns") or [] if not c.get("part") and c.get("kind") in TYPES]
    target = schema.get("target") or {}
    named = [(str(c["name"]), TYPES[c["kind"]]) for c in columns]
    if target.get("name"):
        named.append((str(target["name"]), "sc:Float" if target.get("task") == "regression" else "sc:Text"))
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"rows/{number}",
            "name": name,
            "dataType": kind,
            "source": {"fileObject": {"@id": file["@id"]}, "extract": {"column": name}},
        }
        for number, (name, kind) in enumerate(named)
    ]
    return {"@type": "cr:RecordSet", "@id": "rows", "name": "rows", "field": fields} if fields else None
