"""Verifies a shared study: its files by their hashes, and a trial by running it again."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from temperance.governance.provenance import Check
from temperance.lifecycle.sharing import INDEX, digest, read_index
from temperance.records.errors import StudyError
from temperance.study.again import fold, repeat, settings_of


def verify_shared(
    folder: Path, *, replay: bool = False, trial: str | None = None, data: Any = None, test: Any = None,
    progress: Callable[..., None] | None = None,
) -> list[Check]:  # fmt: skip
    """Return what was verified of a folder that ``share`` wrote.

    Args:
        folder: the shared folder.
        replay: run a trial again and compare its answers bit for bit.
        trial: which; None: the net that took the least time, else the cheapest trial.
        data: the data to run it on; None: the bundled set that the study names.
        test: the second file, where the study had one.
        progress: told of every step.

    Raises:
        StudyError: it is no shared study, it runs code of its own, or its data are not given.

    """
    index = read_index(folder)
    found = [_files(folder, index)]
    if not replay:
        return [*found, Check("replay", "not checked", "No trial was run again; --replay does.")]
    if found[0].state == "fails":
        return [*found, Check("replay", "not checked", "The files are not those that were shared.")]
    row = chosen(index, trial)
    return [*found, _replayed(folder, index, row, _data(folder, index, data), test, progress)]


def chosen(index: dict[str, Any], trial: str | None) -> dict[str, Any]:
    """Return the row of the trial to run again.

    Raises:
        StudyError: there is none of this id.

    """
    rows = [row for row in index["trials"] if row.get("kind") != "ensemble"]
    if trial is not None:
        named = [row for row in rows if row["id"] == trial]
        if not named:
            known = ", ".join(row["id"] for row in rows)
            raise StudyError(
                f"there is no trial {trial!r} to run again", f"one of {known}", "Name another with --trial"
            )
        return dict(named[0])
    nets = [row for row in rows if row.get("kind") != "basic"]
    if not rows:
        raise StudyError(f"{INDEX} names no trial", "a trial that ended", "Share the study again")
    quickest: dict[str, Any] = min(nets or rows, key=lambda row: float(row.get("seconds") or 0.0))
    return quickest


def _files(folder: Path, index: dict[str, Any]) -> Check:
    files = index["files"]
    gone = [name for name in files if not (folder / name).is_file() or (folder / name).is_symlink()]
    told = {f"records/{row['id']}.npy": row["sha256"] for row in index["trials"]}
    gone += sorted(told.keys() - files.keys())
    changed = [
        name for name in files
        if name not in gone and {digest(folder / name)} != {files[name], told.get(name, files[name])}
    ]  # fmt: skip
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    more = sorted(there - files.keys() - {INDEX})
    faults = [f"{words}: {', '.join(names)}" for words, names in
              (("missing", gone), ("changed", changed), ("not in the index", more)) if names]  # fmt: skip
    if faults:
        return Check("files", "fails", f"The files are not those that were shared ({'; '.join(faults)}).")
    return Check("files", "holds", f"All {len(files)} files have the hashes of {INDEX}.")


def _data(folder: Path, index: dict[str, Any], given: Any) -> Any:
    from temperance.data.bundled import bundled_name

    if given is not None:
        return given
    named = str(fold(folder).settings.get("data") or "")
    if bundled_name(named) is not None:
        return named
    raise StudyError(
        f"the study was made from {named or 'data'!r}, which is not in the folder",
        f"the same file, SHA-256 {str((index.get('data') or {}).get('sha256'))[:12]}…", "Name it with --data FILE",
    )  # fmt: skip


def _replayed(folder: Path, index: dict[str, Any], row: dict[str, Any], data: Any, test: Any, progress: Any) -> Check:
    _refuse_code(folder, row["id"], test)
    scratch = Path(tempfile.mkdtemp(prefix="temperance-verify-"))
    try:
        again = repeat(folder, row["id"], out=scratch / "study", data=data, test=test, progress=progress)
        now, then = (np.load(p, allow_pickle=False) for p in (again, folder / f"records/{row['id']}.npy"))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    name = f"{row['id']} ({row.get('name')})"
    if now.shape == then.shape and now.tobytes() == then.tobytes():
        return Check("replay", "holds", f"{name} was run again: its {len(now):,} answers are the same bit for bit.")
    if now.shape != then.shape:
        return Check("replay", "fails", f"{name} was run again: it answered {now.shape}, not {then.shape}.")
    both = np.isfinite(now) & np.isfinite(then)
    worst = float(np.abs(now[both] - then[both]).max()) if both.any() else float("nan")
    words = f"{name} was run again: its answers differ by up to {worst:.2g}. Another machine, or other versions?"
    return Check("replay", "fails", f"{words} It ran on {index.get('versions')}.")


def _refuse_code(folder: Path, trial: str, test: Any) -> None:
    """Refuse a study that would import code on the word of a file from elsewhere, or lacks its second file."""
    settings, _ = settings_of(folder)
    spec = next((r.spec for r in fold(folder).trials if r.spec.id == trial), None)
    if spec is None:
        raise StudyError(f"the ledger has no trial {trial!r}", f"the trials of {INDEX}", "Share the study again")
    if settings.user_task or settings.candidates or spec.origins():
        raise StudyError(
            "the study runs code of its own, which a shared folder must not start", "a study of built-in models",
            "Run `temperance study --replay DIR` on the study's own folder",
        )  # fmt: skip
    if settings.test is not None and test is None:
        raise StudyError(f"the study had a second file, {settings.test}", "the same file", "Name it with --test FILE")
