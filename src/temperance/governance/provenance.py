"""From data to bundle: an in-toto statement with a SLSA v1 predicate, and its check against the files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from temperance.governance.base import Card, Study
from temperance.governance.model_card import winner_of
from temperance.records.plain_json import dumps

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD = "pkg:pypi/temperance#study/1"
EXPORT = "pkg:pypi/temperance#export/1"  # another form of a bundle that a study made
RENEWAL = "pkg:pypi/temperance#retrain/1"  # the recipe of a bundle, trained on newer data
FILENAME = "provenance.json"
ENVELOPE = "provenance.dsse.json"  # the same, signed
APART = frozenset({FILENAME, ENVELOPE, "manifest.json"})  # what cannot be a subject of itself
State = Literal["holds", "fails", "not checked"]


@dataclass(frozen=True)
class Check:
    """One thing that was verified.

    Attributes:
        name: short name, e.g. ``files``.
        state: ``holds``, ``fails`` or ``not checked``.
        words: what was found, in plain words; why, where it was not checked.

    """

    name: str
    state: State
    words: str

    def to_dict(self) -> dict[str, str]:
        """Return JSON-safe fields."""
        return {"name": self.name, "state": self.state, "words": self.words}


@dataclass(frozen=True)
class Provenance(Card):
    """Write ``provenance.json``: which data, command, seed and packages made which files (in-toto, SLSA v1).

    Args:
        files: SHA-256 in hex by name of file, of the bundle.

    """

    files: Mapping[str, str] = field(default_factory=dict)

    name: ClassVar[str] = "provenance"
    filename: ClassVar[str] = FILENAME

    def render(self, study: Study) -> str:
        """Return the JSON text."""
        return dumps(self.statement(study), indent=1) + "\n"

    def statement(self, study: Study) -> dict[str, Any]:
        """Return the statement as a mapping."""
        subjects = [
            {"name": name, "digest": {"sha256": digest}}
            for name, digest in sorted(self.files.items())
            if name not in APART
        ]
        return {
            "_type": STATEMENT,
            "subject": subjects,
            "predicateType": PREDICATE,
            "predicate": {"buildDefinition": _definition(study), "runDetails": _run(study)},
        }


def _definition(study: Study) -> dict[str, Any]:
    data, trial = study.get("data") or {}, winner_of(study)
    outside = {
        "command": study.get("command"),
        "seed": study.get("seed"),
        "target": data.get("target"),
        "metric": (study.get("metric") or {}).get("name"),
    }
    scheme = (study.get("roles") or {}).get("scheme")
    inside = {"trial": trial.get("id"), "recipe": trial.get("recipe_text"), "split": scheme}
    return {
        "buildType": BUILD,
        "externalParameters": {key: value for key, value in outside.items() if value is not None},
        "internalParameters": {key: value for key, value in inside.items() if value},
        "resolvedDependencies": [_data(data), *_packages(study)],
    }


def _data(data: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"name": str(data.get("name") or "data")}
    if data.get("sha256"):
        row["digest"] = {"sha256": str(data["sha256"])}
    what = "of the file; of names and contents where a folder was read; of the values where they came from memory"
    row["annotations"] = {"role": "data", "rows": data.get("rows"), "digest": what}
    return row


def _packages(study: Study) -> list[dict[str, Any]]:
    versions = study.get("versions") or {}
    return [
        {"name": name, "uri": f"pkg:pypi/{name}@{version}" if name != "python" else f"pkg:generic/python@{version}"}
        for name, version in versions.items()
    ]


def _run(study: Study) -> dict[str, Any]:
    version = str(study.get("temperance") or "not stated")
    run: dict[str, Any] = {"builder": {"id": f"pkg:pypi/temperance@{version}", "version": {"temperance": version}}}
    if study.get("created"):
        run["metadata"] = {"finishedOn": str(study["created"])}
    return run


def check(statement: Any, files: Mapping[str, str], *, data: str | None = None) -> list[Check]:
    """Return what a statement says against what lies there: its form, its files, its data.

    Args:
        statement: the contents of ``provenance.json``.
        files: SHA-256 in hex by name, of the files as they lie there.
        data: SHA-256 of the data that the bundle itself names, or None.

    """
    fault = _fault(statement)
    if fault:
        return [Check("provenance", "fails", fault)]
    told = {row["name"]: row["digest"]["sha256"] for row in statement["subject"]}
    there = {name: digest for name, digest in files.items() if name not in APART}
    return [_files(told, there), _source(statement, data)]


def _files(told: Mapping[str, str], there: Mapping[str, str]) -> Check:
    changed = sorted(name for name in told if name in there and there[name] != told[name])
    faults = [f"changed since: {', '.join(changed)}"] if changed else []
    for words, names in (("missing", told.keys() - there.keys()), ("not named by it", there.keys() - told.keys())):
        faults += [f"{words}: {', '.join(sorted(names))}"] if names else []
    if faults:
        return Check("files", "fails", f"The files are not those of the statement ({'; '.join(faults)}).")
    return Check("files", "holds", f"All {len(told)} files are those that the statement names.")


def _source(statement: Mapping[str, Any], data: str | None) -> Check:
    sources = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    named = [r.get("digest") for r in sources if (r.get("annotations") or {}).get("role") == "data"]
    digest = (named[0] or {}).get("sha256") if named else None
    if digest is None or data is None:
        return Check("data", "not checked", "The statement or the bundle does not name the data's SHA-256.")
    if digest != data:
        return Check("data", "fails", f"The statement names data {digest[:12]}…, the bundle {data[:12]}….")
    return Check("data", "holds", f"Statement and bundle name the same data, SHA-256 {digest[:12]}….")


def _fault(statement: Any) -> str:
    """Return why this is no statement that can be checked, or an empty text."""
    if not isinstance(statement, Mapping) or statement.get("_type") != STATEMENT:
        return f"{FILENAME} is not an in-toto statement ({STATEMENT})."
    if statement.get("predicateType") != PREDICATE:
        return f"{FILENAME} has the predicate {statement.get('predicateType')!r}; {PREDICATE} can be checked."
    subjects = statement.get("subject")
    if not isinstance(subjects, list) or not subjects:
        return f"{FILENAME} names no files."
    for row in subjects:
        digest = row.get("digest") if isinstance(row, Mapping) else None
        if not isinstance(digest, Mapping) or not isinstance(digest.get("sha256"), str) or not row.get("name"):
            return f"{FILENAME} has a file without a name or a sha256."
    if len({row["name"] for row in subjects}) != len(subjects):
        return f"{FILENAME} names a file twice."
    definition = (statement.get("predicate") or {}).get("buildDefinition")
    sources = definition.get("resolvedDependencies") if isinstance(definition, Mapping) else None
    if not isinstance(sources, list) or not all(isinstance(row, Mapping) for row in sources):
        return f"{FILENAME} does not say what the files were made from."
    return ""


def read(text: str) -> Any:
    """Return what a text of ``provenance.json`` holds; None where it is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
