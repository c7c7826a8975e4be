"""A study as a folder to hand on: recipe, ledger, records and hashes, without the data and without paths."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import Any

from temperance.governance import Bill, Croissant, DatasetCard, ModelCard, Provenance
from temperance.records.atomic import write_text
from temperance.records.errors import StudyError
from temperance.records.plain_json import dumps
from temperance.records.plain_names import is_plain
from temperance.study.again import fold

FORMAT, SCHEMA = "temperance-share", 1
INDEX = "shared.json"
TEXTS = ("study.json", "ledger.jsonl", "leaderboard.csv", ModelCard.filename, DatasetCard.filename,
         Croissant.filename, "annex_iv.md")  # fmt: skip
OF_BUNDLE = ("recipe.json", "recipe.toml", Bill.filename, Provenance.filename)
LARGEST_INDEX = 64 * 2**20


def share(folder: Path, out: Path) -> dict[str, Any]:
    """Write ``out`` from the study in ``folder`` and return its index (``shared.json``).

    Texts keep no path of this machine: the folders of the data, of the study and of the user are cut from them. The
    answers of each trial on the rows that chose lie in ``records/``; the rows themselves and their truth do not.

    Args:
        folder: of a finished study.
        out: a folder that does not exist yet.

    Raises:
        StudyError: no finished study there, or ``out`` exists.

    """
    if not (folder / "study.json").is_file():
        raise StudyError(f"{folder} has no study.json", "the folder of a finished study", "Check the name")
    if out.exists():
        raise StudyError(f"--out {out} exists", "a new folder, so that nothing is lost", "Choose another name")
    document = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    trials = _trials(folder)
    out.mkdir(parents=True)
    try:
        cut = _prefixes(folder, document)
        bundle = folder / str(document.get("bundle") or "bundle")
        for source in [*(folder / n for n in TEXTS), *(bundle / n for n in OF_BUNDLE)]:
            if source.is_file():
                write_text(out / source.name, without_paths(source.read_text(encoding="utf-8"), cut))
        (out / "records").mkdir()
        for row in trials:
            shutil.copyfile(folder / "work" / "trials" / row["id"] / "selection.npy", out / row["file"])
        index = _index(out, document, trials)
        write_text(out / INDEX, dumps(index, indent=1) + "\n")
    except BaseException:
        shutil.rmtree(out, ignore_errors=True)
        raise
    return index


def read_index(folder: Path) -> dict[str, Any]:
    """Return the index of a shared folder.

    Raises:
        StudyError: there is none, or it is not what ``share`` writes.

    """
    place = folder / INDEX
    wanted = "a folder that `temperance share` wrote"
    try:
        if place.stat().st_size > LARGEST_INDEX:
            raise StudyError(f"{INDEX} has {place.stat().st_size} bytes", f"at most {LARGEST_INDEX}", "Share it again")
        index = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as fault:
        raise StudyError(f"{place} cannot be read: {fault}", wanted, "Share the study again") from fault
    if not isinstance(index, dict) or index.get("format") != FORMAT or not isinstance(index.get("schema"), int):
        raise StudyError(f"{place} is no index of a shared study", wanted, "Share the study again")
    if index["schema"] > SCHEMA:
        raise StudyError(f"{place} was written by a newer Temperance", f"up to version {SCHEMA}", "Update Temperance")
    _check_index(index, place)
    return dict(index)


def _check_index(index: dict[str, Any], place: Path) -> None:
    files, trials = index.get("files"), index.get("trials")
    if (
        not isinstance(files, dict)
        or not isinstance(trials, list)
        or not all(isinstance(one, str) for one in files.values())
        or not all(_is_trial(row) for row in trials)
    ):
        raise StudyError(f"{place} is not complete", "files with their SHA-256, and trials", "Share the study again")
    for name in files:
        if not all(is_plain(part, letters="any") for part in str(name).split("/")) or str(name).count("/") > 1:
            raise StudyError(f"{place} names the file {name!r}", "files inside its own folder", "Share the study again")


def _is_trial(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and is_plain(str(row.get("id", "")))
        and isinstance(row.get("seconds", 0.0), int | float)
        and isinstance(row.get("sha256"), str)
    )


def without_paths(text: str, prefixes: Iterable[str]) -> str:
    """Return a text without these folders; names of files stay."""
    for prefix in sorted({p for p in prefixes if len(p) > 1}, key=len, reverse=True):
        for form in (prefix, json.dumps(prefix, ensure_ascii=False)[1:-1]):  # in JSON, \ is written twice
            for end in ("/", "\\\\", "\\"):
                text = text.replace(form + end, "")
            text = text.replace(form, "…")
    return text


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _prefixes(folder: Path, document: dict[str, Any]) -> list[str]:
    """Return the folders that texts of the study may name."""
    named = [str((document.get("data") or {}).get("path") or "")]
    settings = fold(folder).settings
    named += [str(settings.get(key) or "") for key in ("data", "test")]
    found = [str(PurePath(one).parent) for one in named if PurePath(one).is_absolute()]
    found += [str(folder.resolve().parent), str(Path.home()), str(Path.cwd())]
    return [one for one in found if one not in ("/", ".")]


def _trials(folder: Path) -> list[dict[str, Any]]:
    rows = []
    for result in fold(folder).trials:
        place = folder / "work" / "trials" / result.spec.id / "selection.npy"
        if result.status != "done" or not place.is_file():
            continue
        rows.append({
            "id": result.spec.id, "name": result.spec.name, "kind": result.spec.kind, "seconds": result.seconds,
            "file": f"records/{result.spec.id}.npy", "sha256": digest(place),
        })  # fmt: skip
    if not rows:
        raise StudyError(
            f"{folder} keeps no answers of a finished trial", "a study with its work/ folder", "Run the study again"
        )
    return rows


def _index(out: Path, document: dict[str, Any], trials: list[dict[str, Any]]) -> dict[str, Any]:
    files = {p.relative_to(out).as_posix(): digest(p) for p in sorted(out.rglob("*")) if p.is_file()}
    data = document.get("data") or {}
    return {
        "format": FORMAT, "schema": SCHEMA, "temperance": document.get("temperance"),
        "versions": document.get("versions") or {}, "machine": document.get("machine") or {},
        "seed": document.get("seed"),
        "data": {key: data.get(key) for key in ("name", "sha256", "rows", "target", "task")},
        "winner": (document.get("winner") or {}).get("trial"), "trials": trials, "files": files,
    }  # fmt: skip
