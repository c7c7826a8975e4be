"""Several targets on the command line: the study of all, and the answers and figures of all their models."""

from __future__ import annotations

import functools
import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import typer
from numpy.typing import NDArray

from temperance.cli.console import Console, table
from temperance.cli.guard import STOPPED, Interrupted, Started
from temperance.cli.progress import progress
from temperance.cli.stations import ended_by_signals, publish
from temperance.records.durations import words_for_seconds

if TYPE_CHECKING:
    from temperance.evaluation import Evaluation
    from temperance.records.schema import Target
    from temperance.study.desk import Progress
    from temperance.study.settings import StudySettings

Places = NDArray[np.int64] | None
Action = Callable[["Progress", Callable[[Path], object]], Path]


def targets_of(given: Sequence[str] | None, data: str | None, task: str, **how: str) -> list[str]:
    """Return the targets that were named: each ``--target``, and the parts of one such as ``a,b`` that is no column.

    Args:
        given: what stands after each ``--target``.
        data: what was named; looked into only where a comma leaves it open what is meant.
        task: with ``multilabel`` one column is meant whatever its name.
        **how: separator and sheet, where the user named them.

    """
    names = list(given or ())
    if len(names) != 1 or "," not in names[0] or data is None or task == "multilabel":
        return names
    import tempfile

    from temperance.data.choices import Choices
    from temperance.data.source import source_of

    parts = [part.strip() for part in names[0].split(",") if part.strip()]
    with tempfile.TemporaryDirectory(prefix="temperance-names-", ignore_cleanup_errors=True) as scratch:
        choices = Choices(separator=how.get("separator", ""), sheet=how.get("sheet", ""))
        known = source_of(data, target=None, choices=choices).open(Path(scratch)).names
    return names if names[0] in known or not set(parts) & set(known) else parts


def new(settings: StudySettings, targets: Sequence[str]) -> Action:
    """Return what runs a new study of several targets."""

    def action(told: Progress, then: Callable[[Path], object]) -> Path:
        from temperance.study.several import run

        return run(settings, targets, progress=told, then=then)

    return action


def resumed(folder: Path, **changed: Any) -> Action:
    """Return what goes on with one."""

    def action(told: Progress, then: Callable[[Path], object]) -> Path:
        from temperance.study.several import resume

        return resume(folder, progress=told, then=then, **changed)

    return action


def conclude(action: Action, folder: Path, *, console: Console, started: Started, language: str = "en") -> None:
    """Run it, write its page, and print what came out; end with 130 if the user stopped it early."""
    from temperance.report.several import render
    from temperance.study.several import opened

    again = f"Go on with: temperance study --resume {shlex.quote(str(folder))}"
    try:
        with progress(quiet=console.quiet or console.as_json) as shown, ended_by_signals():
            action(shown, functools.partial(publish, language=language))
    except KeyboardInterrupt:
        raise Interrupted(f"Stopped before a model of the target at hand was there. {again}") from None
    document = opened(folder)
    render(folder, document, language=language)
    seconds = time.monotonic() - started.moment
    value = {key: document[key] for key in ("status", "data", "together", "outputs", "bundle", "seed")}
    value |= {"folder": str(folder), "report": str(folder / "report.html"), "seconds": round(seconds, 3)}
    console.result(value, text(folder, document, seconds=seconds))
    if document["status"] == "interrupted":
        raise typer.Exit(STOPPED)


def text(folder: Path, document: dict[str, Any], *, seconds: float) -> str:
    """Return the verdict: each target with its model and figures, all together, and where things are."""
    from temperance.evaluation.words import sentence
    from temperance.records.measurement import Measurement

    lines = []
    for row in document["outputs"]:
        if row["status"] == "waiting":
            lines.append(f"{row['target']}: not begun.")
            continue
        name = row["metric"]["name"]
        lines.append(f"{row['target']}: {row['winner']}.")
        shown = dict.fromkeys([name, "r2" if row["task"] == "regression" else "accuracy"])
        tested = [Measurement.from_dict(row["test"][one]) for one in shown if one in row["test"]]
        lines += [f"  {sentence(one, task=row['task'])}" for one in tested]
        if row["fix_before_use"]:
            lines.append(f"  Fix before use: {row['fix_before_use']}, see its report.")
    joint = [Measurement.from_dict(one) for one in document["together"].values()]
    if joint:
        lines += ["All targets together, on the same test rows:", *(f"  {sentence(one)}" for one in joint)]
    rows: list[tuple[str, ...]] = [
        ("report", str(folder / "report.html")),
        ("of each target", str(folder / "outputs" / "…" / "report.html")),
    ]
    rows += [("models to serve", str(folder / document["bundle"]))] if document["bundle"] else []
    lines += ["", f"Took {words_for_seconds(seconds)}. Written to {folder}:", table(rows)]
    if document["bundle"]:
        lines.append(f"Serve them with: temperance serve {shlex.quote(str(folder / document['bundle']))}")
    if document["status"] != "complete":
        lines.append(f"It was stopped early. Go on with: temperance study --resume {shlex.quote(str(folder))}")
    return "\n".join(lines)


def columns_for(parts: Sequence[tuple[str, dict[str, list[Any]]]]) -> dict[str, list[Any]]:
    """Return the columns of all targets side by side, each named by its target: ``price_prediction``."""
    return {f"{target}_{name}": values for target, columns in parts for name, values in columns.items()}


def measured(parts: Sequence[tuple[str, Target, Evaluation, Places]]) -> tuple[dict[str, Any], list[str]]:
    """Return figures of all targets together where they were measured on the same rows, and sentences for them.

    Args:
        parts: the name of each target, what it is, its figures, and which rows they are of (n,); None: not known.

    """
    from temperance.evaluation.several import together
    from temperance.evaluation.words import sentence

    first = parts[0][3]
    if first is None or any(rows is None or not np.array_equal(rows, first) for *_, rows in parts):
        counts = ", ".join(f"{target}: {one.n:,}" for target, _, one, _ in parts)
        return {}, [f"No figure of all targets together: they are known in different rows ({counts})."]
    found = together([one.outcome for _, _, one, _ in parts], [target for _, target, _, _ in parts])
    return {one.name: one.to_dict() for one in found}, [sentence(one) for one in found]
