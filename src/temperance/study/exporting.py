"""Any candidate of a finished study as a bundle: ``temperance export DIR --trial ID``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from temperance.records.errors import StudyError, nearest
from temperance.study.again import fold, settings_of
from temperance.study.choose import Choice
from temperance.study.clock import Budget
from temperance.study.desk import Desk, Progress
from temperance.study.finale import Finale, blended
from temperance.study.state import State


def export(
    folder: Path, trial: str, *, out: Path | None = None, started: float | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Write one finished trial of a study as a bundle; it is trained again first where that was not done before.

    Args:
        folder: of the study.
        trial: its id, as ``study.json`` and the leaderboard have it.
        out: folder of the bundle; ``bundle-ID`` beside the study's own where left out.
        started: ``time.monotonic()`` that the work counts from.
        progress: told of every step.

    Returns:
        ``{"trial", "name", "bundle", "test", "served"}``: figures of the bundle on the test rows.

    Raises:
        StudyError: no study there, no such trial, it did not finish, or ``out`` is taken.

    """
    known = fold(folder)
    check(known, trial)
    place = folder / f"bundle-{trial}" if out is None else out
    if place.exists():
        raise StudyError(f"{place} exists", "a new folder, so that nothing is lost", "Choose another --out")
    settings, _ = settings_of(folder)
    aside = folder / "work" / "export.jsonl"  # what an export does is no part of the study
    aside.unlink(missing_ok=True)
    desk = Desk(replace(settings, workers=1, started=started), progress=progress, aside=aside)
    desk.clock.budget = Budget(trials=1)  # an export has no clock; what the study was allowed stays in its ledger
    try:
        desk.open()
        one = known.result(trial)
        if one.spec.kind == "ensemble":
            blended(desk, one.spec, one.event)
        desk.say("export", message=f"Exporting {trial}")
        done = Finale(desk, Choice(trial, "asked for", ()), alone=True, bundle=place).run()["winner"]
        name = desk.state.result(trial).spec.name
    finally:
        desk.close()
    measured = done["evaluation"]["measurements"]
    return {"trial": trial, "name": name, "bundle": str(place), "test": measured, "served": done.get("served")}


def check(state: State, trial: str) -> None:
    """Refuse a trial that is not there or did not finish.

    Raises:
        StudyError: one of these.

    """
    done = {r.spec.id: r.spec.name for r in state.results if r.status == "done"}
    if trial in done:
        return
    known = [r for r in state.results if r.spec.id == trial]
    what = f"trial {trial} is {known[0].status}: {known[0].event.get('why', '')}" if known else f"no trial {trial!r}"
    raise StudyError(
        what, f"a finished one: {', '.join(done) or 'there is none'}",
        nearest(trial, done) or "See leaderboard.csv for their names",
    )  # fmt: skip
