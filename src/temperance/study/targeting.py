"""A study's model for where it will run: ``temperance export DIR --target edge``, with the frontier to fall back on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from temperance.deployment import load
from temperance.deployment.export import Limits, Outcome, export_bundle
from temperance.records.errors import BundleError, StudyError
from temperance.records.roles import sample
from temperance.study.again import fold, settings_of
from temperance.study.desk import Progress
from temperance.study.exporting import check, export
from temperance.study.prepare import Prepared, prepare
from temperance.study.state import Result, State, ranked

RANGE_ROWS = 512
SMALLEST_SHARE = (
    0.25  # of its bytes that a form leaves at best; a candidate above that is not trained again for nothing
)


def export_for(
    folder: Path, target: str, *, trial: str | None = None, out: Path | None = None, max_drop: float = 0.005,
    limits: Limits | None = None, started: float | None = None, progress: Progress | None = None,
    say: Callable[[str], None] | None = None,
) -> tuple[Outcome, str]:  # fmt: skip
    """Write a study's model, or another trial, in the best form for a target.

    Loss and answers are measured on the study's test rows, against the same model as it is: a comparison of forms, not
    a new test of the model. Ranges come from development rows. Where no form of the winner is within the limits, the
    candidates of the frontier (students and small models among them) follow, the best first.

    Args:
        folder: of the study.
        target: one of ``deployment.export.TARGETS``.
        trial: its id; None: the winner.
        out: where to write; beside the study's bundle where left out.
        max_drop: largest relative loss of the score.
        limits: on latency and size.
        started: ``time.monotonic()`` that the work counts from.
        progress: told of each step of a training.
        say: told of each step of the export.

    Returns:
        What was done, and the trial that shipped.

    Raises:
        StudyError: no study there, or no such trial.
        BundleError: nothing may ship.

    """
    state = fold(folder)
    limits = limits or Limits()
    if trial is not None:
        check(state, trial)
    settings, _ = settings_of(folder)
    prepared = prepare(settings, folder / "work")
    place = out or folder / "-".join(["bundle", *([trial] if trial else []), target])
    if place.exists():
        raise StudyError(f"{place} exists", "a new folder, so that nothing is lost", "Choose another --out")
    reasons = []
    for one in [trial] if trial is not None else _in_turn(state, limits):
        source = _bundle(folder, state, one, started, progress)
        try:
            done = _exported(source, prepared, target, place, max_drop, limits, say)
        except BundleError as fault:
            reasons.append(f"{one} {state.result(one).spec.name}: {fault.received}")
            continue
        return _noted(done, state, one, reasons), one
    raise BundleError("; ".join(reasons), "a form within the limits", "Loosen --max-drop, --max-latency or --max-size")


def _exported(
    source: Path, prepared: Prepared, target: str, place: Path, max_drop: float, limits: Limits,
    say: Callable[[str], None] | None,
) -> Outcome:  # fmt: skip
    roles, test = prepared.roles, prepared.test
    weight = test.weight if prepared.weigh_test else None
    return export_bundle(
        load(source), target, place, rows=test.rows.take(roles.test), truth=test.target[roles.test],
        weight=None if weight is None else weight[roles.test],
        ranges=prepared.table.rows.take(sample(roles.refit, RANGE_ROWS)), max_drop=max_drop, limits=limits, say=say,
    )  # fmt: skip


def _bundle(folder: Path, state: State, trial: str, started: float | None, progress: Progress | None) -> Path:
    """Return the bundle of a trial; written now where it is not there."""
    own = folder / "bundle"
    if state.choice is not None and trial == state.choice.winner and own.is_dir():
        return own
    place = folder / f"bundle-{trial}"
    if not place.exists():
        export(folder, trial, started=started, progress=progress)
    return place


def _in_turn(state: State, limits: Limits) -> Iterator[str]:
    """Yield the winner, then others of the frontier that could be within the limits, the best first."""
    if state.choice is None:
        raise StudyError("the study has no winner yet", "a finished study", "Go on with `temperance study --resume`")
    yield state.choice.winner
    for one in frontier(state):
        size = one.event.get("cost", {}).get("bytes")
        if limits.bytes is None or size is None or SMALLEST_SHARE * size <= limits.bytes:
            yield one.spec.id


def frontier(state: State) -> list[Result]:
    """Return the other candidates of the frontier, the best first."""
    if state.choice is None:
        return []
    names = {*state.choice.frontier} - {state.choice.winner}
    return [r for r in ranked(state.done) if r.spec.id in names]


def _noted(done: Outcome, state: State, trial: str, reasons: list[str]) -> Outcome:
    """Add in words what was passed over, and what else the frontier holds."""
    notes = [*done.notes, *(f"Passed over: {reason}." for reason in reasons)]
    others = [r for r in frontier(state) if r.spec.id != trial]
    for one in others[:6]:
        cost: dict[str, Any] = one.event.get("cost", {})
        size, latency = cost.get("bytes"), cost.get("latency_1_ms")
        figures = ", ".join(
            text for text in (f"{size:,} bytes" if size else "", f"{latency:.3g} ms a row" if latency else "") if text
        )
        notes.append(f"Also on the frontier: {one.spec.name} ({figures}): --trial {one.spec.id}.")
    if not any(one.spec.teacher for one in [*others, state.result(trial)]):
        notes.append("The frontier of this study holds no distilled net.")
    return replace(done, notes=tuple(notes))
