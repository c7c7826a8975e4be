"""A study of several targets: one reading, one split, a study of each target in turn, and figures of all together.

Each target has the whole choice of models to itself, and a bundle, a report and a monitor of its own. Rows and folds
are shared, so that figures of the targets can be put side by side (decision 0029).
"""

from __future__ import annotations

import json
import math
import re
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from temperance.data import Reading, load_roles, read
from temperance.data.choices import Choices, ColumnChoice
from temperance.data.several import readings_of, split_together
from temperance.deployment import load
from temperance.deployment.several import write_several
from temperance.evaluation.prediction import observe
from temperance.evaluation.several import together
from temperance.records.atomic import write_text
from temperance.records.errors import BudgetError, SettingError, StudyError
from temperance.records.measurement import Measurement
from temperance.records.plain_json import dumps
from temperance.records.schema import Target
from temperance.records.version import __version__
from temperance.study import again
from temperance.study.clock import LEAST_SECONDS, Budget, process_start
from temperance.study.desk import Progress
from temperance.study.prepare import check_interval, costs_of, goal_of, kept_rows, store
from temperance.study.settings import StudySettings
from temperance.study.store import load_table
from temperance.study.study import Study, Then

FILE = "several.json"
SCHEMA = 1
ENDING = 2.0  # seconds kept back for the figures of all targets, and as much for each
MOST = 100  # targets


@dataclass(frozen=True)
class Part:
    """One target: its name, and the folder of its study below that of all."""

    target: str
    folder: str


def begin(settings: StudySettings, targets: Sequence[str]) -> list[Part]:
    """Read the data once, split them once, and prepare a study of each target below ``settings.out``.

    Args:
        settings: of all; ``target`` counts for nothing.
        targets: columns to predict; one with ``task="multilabel"``.

    Raises:
        DataError: data that cannot be read, a target that cannot be predicted, too few rows.
        SettingError: a setting that several targets cannot share.
        BudgetError: too little time for so many targets.

    """
    choices = Choices.from_dict(settings.reading)
    _check(settings, targets, choices)
    try:
        return _begin(settings, targets, choices)
    except BaseException:  # nothing of it could be resumed
        _clear(settings.out)
        raise


def _clear(out: Path) -> None:
    """Take away what was prepared, so that the same folder can be asked for again."""
    for name in ("work", "outputs"):
        shutil.rmtree(out / name, ignore_errors=True)
    (out / FILE).unlink(missing_ok=True)
    if out.is_dir() and not any(out.iterdir()):
        out.rmdir()


def _begin(settings: StudySettings, targets: Sequence[str], choices: Choices) -> list[Part]:
    kind = "auto" if ":" in settings.task else settings.task
    work = settings.out / "work"
    reading = read(
        settings.data, target=targets[0], beside=targets[1:], task=kind, group=settings.group, time=settings.time,
        weight=settings.weight, workdir=work / "read", choices=choices,
    )  # fmt: skip
    readings = readings_of(reading)
    if settings.interval is not None and all(one.table.schema.target.classes for one in readings):
        raise SettingError("an interval, and no target is a number", "one that is", "Leave the interval out")
    if not 1 < len(readings) <= MOST:
        raise SettingError(f"{len(readings)} targets", f"2 to {MOST}", "Name fewer with --target")
    share_of(settings.budget, len(readings), time.monotonic())
    tests = _tests(settings, readings, work)
    apart = None if tests[0] is None else tests[0].table
    roles = split_together([one.table for one in readings], seed=settings.seed, test=apart)
    parts = [Part(one.table.schema.target.name, _folder(i, one)) for i, one in enumerate(readings)]
    for part, one, test in zip(parts, readings, tests, strict=True):
        target = one.table.schema.target
        own = of_part(settings, part, target, _columns(parts, target))
        costs_of(own, target)
        check_interval(own, target, kept_rows(one.table, roles))
        folder = own.out / "work"
        folder.mkdir(parents=True, exist_ok=True)
        store(own, folder, one, roles, test, goal_of(own, target))
    write(settings.out, settings, parts, status="begun")
    shutil.rmtree(work)  # each study has its own copy
    return parts


def _check(settings: StudySettings, targets: Sequence[str], choices: Choices) -> None:
    if (settings.out / "outputs").exists():
        raise StudyError(f"{settings.out} holds a study of several targets", "a new folder", "Choose another --out")
    if len(set(targets)) < len(targets):
        raise SettingError(f"the targets {', '.join(targets)}", "each once", "Leave one out")
    if choices.lags or choices.id:
        what = "--lags" if choices.lags else "--id"
        raise SettingError(
            f"several targets with {what}", "one target", "Run a study for each, with --drop for the rest"
        )
    if settings.beside:
        raise SettingError("several targets of data in memory", "a file", "Write the data to a file")


def _tests(settings: StudySettings, readings: Sequence[Reading], work: Path) -> list[Reading | None]:
    """Read ``--test`` for each target, the rows that have all of them."""
    if settings.test is None:
        return [None] * len(readings)
    apart = replace(Choices.from_dict(settings.reading), columns={})
    for one in readings:  # says what is wrong with a target, in its own words
        read(settings.test, target=one.table.schema.target.name, schema=one.table.schema, choices=apart)
    found = [
        read(settings.test, schema=one.table.schema, workdir=work / f"read_test_{i}", choices=apart)
        for i, one in enumerate(readings)
    ]
    known = np.logical_and.reduce([_known(one) for one in found])
    return [replace(one, table=one.table.take(np.flatnonzero(known))) for one in found]


def _known(reading: Reading) -> Any:
    target = reading.table.target
    return np.isfinite(target) if reading.table.schema.target.task == "regression" else target >= 0


def _folder(number: int, reading: Reading) -> str:
    plain = re.sub(r"\W+", "_", reading.table.schema.target.name, flags=re.ASCII).strip("_")[:40]
    return f"{number + 1}_{plain}" if plain else str(number + 1)


def of_part(settings: StudySettings, part: Part, target: Target, targets: Sequence[str]) -> StudySettings:
    """Return the settings of the study of one target; ranges are for numbers alone, other targets are no inputs."""
    choices = Choices.from_dict(settings.reading)
    columns = {**choices.columns, **{name: ColumnChoice("drop") for name in targets if name != part.target}}
    if columns.get(part.target) == ColumnChoice("drop"):
        del columns[part.target]
    task = "classification" if settings.task == "multilabel" else settings.task
    interval = None if target.classes else settings.interval
    folder = settings.out / "outputs" / part.folder
    reading = replace(choices, columns=columns).to_dict()
    return replace(settings, target=part.target, out=folder, task=task, interval=interval, reading=reading)


def share_of(budget: Budget, left: int, started: float, *, late: bool = False) -> Budget:
    """Return what one of ``left`` further targets may spend of a budget that began at ``started``.

    Args:
        budget: seconds of all together, or trials of each.
        left: targets that wait.
        started: ``time.monotonic()`` at which the seconds began.
        late: some are done: the others get the least that works, though the whole then takes longer.

    Raises:
        BudgetError: less than the least that a study takes.

    """
    if budget.seconds is None:
        return budget
    rest = budget.seconds - (time.monotonic() - started)
    share = (rest - ENDING * (1 + left)) / left
    if share < LEAST_SECONDS and late:
        return Budget(seconds=LEAST_SECONDS)
    if share < LEAST_SECONDS:
        reading = budget.seconds - rest  # another time it may take longer
        least = 5 * math.ceil((left * (LEAST_SECONDS + ENDING) + ENDING + 1.5 * reading + 1) / 5)
        raise BudgetError(
            f"a budget of {budget.seconds:g} seconds for {left} targets",
            f"{LEAST_SECONDS:g}s for each and the reading: {least}s", f"Use --budget {least}s or more",
        )  # fmt: skip
    return Budget(seconds=share)


def run(
    settings: StudySettings, targets: Sequence[str], *, progress: Progress | None = None, then: Then | None = None
) -> Path:
    """Run a study of several targets and return its folder; ``then`` is called with the folder of each study.

    Raises:
        TemperanceError: see ``begin`` and ``Study.run``.
        KeyboardInterrupt: it was stopped before a model of the first target was there.

    """
    started = process_start() if settings.started is None else settings.started
    parts = begin(settings, targets)
    try:
        share_of(settings.budget, len(parts), started)  # reading took its part of the time
    except BudgetError:
        _clear(settings.out)
        raise
    return _go_on(settings, parts, started, progress, then)


def resume(
    folder: Path, *, budget: Budget | None = None, progress: Progress | None = None, then: Then | None = None,
    **changed: Any,
) -> Path:  # fmt: skip
    """Go on with a study of several targets: those that are not complete yet get the budget.

    Args:
        folder: of the study.
        budget: seconds from now on for all of them, or trials of each; None: as much as at first.
        progress: told of every step.
        then: called with the folder of each study.
        **changed: settings that are those of this session.

    Raises:
        StudyError: no such study, or it was stopped before any target was begun.

    """
    document = opened(folder)
    parts = [Part(row["target"], row["folder"]) for row in document["outputs"]]
    ledgers = [folder / "outputs" / part.folder for part in parts]
    first = next((place for place in ledgers if (place / "ledger.jsonl").exists()), None)
    if first is None:
        raise StudyError(f"{folder} holds no study that was begun", "one that ran for a while", "Start a new study")
    kept, _ = again.settings_of(first)
    whole = budget or Budget(**document["budget"])
    base = replace(kept, out=folder, budget=whole, interval=document["interval"], **changed)
    return _go_on(base, parts, time.monotonic(), progress, then)


def _go_on(
    settings: StudySettings, parts: Sequence[Part], started: float, progress: Progress | None, then: Then | None
) -> Path:
    waiting = [part for part in parts if not _is_complete(settings.out / "outputs" / part.folder)]
    for i, part in enumerate(waiting):
        target = load_table(settings.out / "outputs" / part.folder / "work" / "table").schema.target
        budget = share_of(settings.budget, len(waiting) - i, started, late=i > 0)
        told = _telling(progress, f"{part.target} ({len(parts) - len(waiting) + i + 1} of {len(parts)})")
        own = replace(of_part(settings, part, target, _columns(parts, target)), budget=budget, started=time.monotonic())
        if (own.out / "ledger.jsonl").exists():
            again.resume(own.out, budget=budget, progress=told, then=then, started=own.started)
        else:
            Study(own, progress=told, then=then).run()
        write(settings.out, settings, parts, status="begun")
        if _status(own.out) == "interrupted":
            return finish(settings, parts, status="interrupted")
    return finish(settings, parts, status="complete")


def _columns(parts: Sequence[Part], target: Target) -> list[str]:
    """Return the columns of all targets; labels of one column have none."""
    return [] if target.part else [part.target for part in parts]


def _telling(progress: Progress | None, where: str) -> Callable[[dict[str, Any]], None]:
    def tell(event: dict[str, Any]) -> None:
        if progress is not None:
            progress({**event, "message": f"{where}: {event['message']}"} if event.get("message") else event)

    return tell


def _status(folder: Path) -> str:
    try:
        return str(json.loads((folder / "study.json").read_text(encoding="utf-8"))["status"])
    except OSError:
        return "waiting"


def _is_complete(folder: Path) -> bool:
    return (folder / "ledger.jsonl").exists() and again.is_complete(folder)


def finish(settings: StudySettings, parts: Sequence[Part], *, status: str) -> Path:
    """Measure all targets together, write the bundle of bundles, and note what came out."""
    folder = settings.out
    studies = [folder / "outputs" / part.folder for part in parts]
    done = [(part, place) for part, place in zip(parts, studies, strict=True) if (place / "bundle").is_dir()]
    row: dict[str, Any] = {"together": {}, "bundle": None}
    if done:
        write_several(folder / "bundle", [(part.folder, part.target, place / "bundle") for part, place in done])
        row["bundle"] = "bundle"
    if len(done) == len(parts):
        row["together"] = {one.name: one.to_dict() for one in _together(done)}
    write(folder, settings, parts, status=status, **row)
    return folder


def _together(done: Sequence[tuple[Part, Path]]) -> tuple[Measurement, ...]:
    outcomes, targets = [], []
    for _, place in done:
        work = place / "work"
        table = load_table(work / "test" if (work / "test").exists() else work / "table")
        index = load_roles(work / "roles.npz").test
        outcomes.append(observe(load(place / "bundle", verify=False), table, index))
        targets.append(table.schema.target)
    return together(outcomes, targets)


def write(folder: Path, settings: StudySettings, parts: Sequence[Part], *, status: str, **more: Any) -> None:
    """Write ``several.json``: what was asked for, and what is there of it."""
    rows = [_row(folder, part) for part in parts]
    data = json.loads((folder / "outputs" / parts[0].folder / "work" / "data.json").read_text(encoding="utf-8"))["data"]
    document = {
        "schema": SCHEMA, "temperance": __version__, "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "command": settings.command, "seed": settings.seed, "status": status, "budget": vars(settings.budget),
        "interval": settings.interval,
        "data": {"name": data["name"], "rows": data["rows"], "path": data["path"], "task": settings.task,
                 "target": ", ".join(part.target for part in parts)},
        "outputs": rows, "together": {}, "bundle": None, **more,
    }  # fmt: skip
    write_text(folder / FILE, dumps(document, indent=1))


def _row(folder: Path, part: Part) -> dict[str, Any]:
    row: dict[str, Any] = {"target": part.target, "folder": part.folder, "status": "waiting"}
    path = folder / "outputs" / part.folder / "study.json"
    if not path.exists():
        return row
    one = json.loads(path.read_text(encoding="utf-8"))
    winner, states = one["winner"], [finding["state"] for finding in one["findings"]]
    simple = (winner.get("simple_test") or {}).get("measurements") or {}
    return {
        **row, "status": one["status"], "task": one["data"]["task"], "metric": one["metric"],
        "winner": next((t["name"] for t in one["trials"] if t["id"] == winner["trial"]), winner["trial"]),
        "test": winner["test"], "simple": simple.get(one["metric"]["name"]),
        "fix_before_use": states.count("fix_before_use"), "look_at_this": states.count("look_at_this"),
    }  # fmt: skip


def opened(folder: Path) -> dict[str, Any]:
    """Return ``several.json`` of a study.

    Raises:
        StudyError: it is missing, damaged or newer.

    """
    remedy = "Name the folder that `temperance study --out` wrote"
    try:
        document = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StudyError(
            f"{folder / FILE} cannot be read: {error}", "as a study of several targets wrote it", remedy
        ) from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise StudyError(f"{folder / FILE} has another schema", f"schema {SCHEMA}", "Update Temperance")
    return document
