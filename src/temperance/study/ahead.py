"""Refits that follow whatever wins, done while the search still runs: a worker is free before no further net fits.

Basic models are compared by folds, so one that ships, or that the winner is compared with, is trained once more on all
rows for development. These rows are known from the start, and the choice is not touched. What is refitted already needs
no time kept back for it, which the search gets.
"""

from __future__ import annotations

from typing import Any

from temperance.study.basics import compared
from temperance.study.desk import Desk
from temperance.study.events import Refitted
from temperance.study.reserves import MEMBERS, is_dear, refit_seconds, ships_as_it_is
from temperance.study.state import Result, ranked


def start(desk: Desk, *, late: bool = True) -> bool:
    """Start the next of them on an idle worker; return whether there was one and it fits the time.

    Args:
        desk: of the study.
        late: the search draws to its end; before that only what is compared is sure to be needed.

    """
    if desk.settings.budget.seconds is None:
        return False
    running = [lease.job["spec"]["id"] for lease in desk.workers.running if lease.kind == "refit"]
    for one in wanted(desk, late=late):
        if one.spec.id not in running and refit_seconds(one, desk.prepared.roles) < desk.clock.for_trials:
            desk.workers.start("refit", **refit_job(one))
            return True
    return False


def wanted(desk: Desk, *, late: bool = True) -> list[Result]:
    """Return the basic models to be refitted: those that are compared, and ``late`` those among the best trials."""
    others = compared(desk.state, images=desk.prepared.table.schema.kind == "images").values()
    best = [r.spec.id for r in ranked(desk.state.done)[:MEMBERS]]
    budget, roles = desk.settings.budget.seconds, desk.prepared.roles
    basic = [r for r in desk.state.done if r.spec.kind == "basic" and not ships_as_it_is(r)]
    basic = [r for r in basic if r.spec.id == best[0] or not is_dear(r, roles, budget)]
    failed = {event["spec_id"] for event in desk.failed_refits}
    done = desk.state.refits.keys() | failed
    return [r for r in basic if (r.spec.id in others or (late and r.spec.id in best)) and r.spec.id not in done]


def gather(desk: Desk) -> None:
    """Note the refits that have ended; one that failed is left to the end of the study, which says why."""
    for event in desk.take("refit"):
        if event["event"] == "failed":
            desk.failed_refits.append(event)
        else:
            desk.tell(refitted(event))
            desk.reserve()


def refit_job(one: Result) -> dict[str, Any]:
    """Return what a worker needs to refit a trial: as it was trained, stopped where it stopped."""
    spec = one.spec.changed(settings=one.event.get("chosen") or {}) if one.spec.kind == "basic" else one.spec
    fraction = one.event.get("fraction")
    until = 1.0 if fraction is None else fraction
    return {"spec": spec.to_dict(), "until": until, "traces": one.event.get("traces", [])}


def refitted(event: dict[str, Any]) -> Refitted:
    """Return the event of a refit that a worker ended."""
    return Refitted(
        id=event["spec_id"], rows=event["rows"], cost=event["cost"], acted=tuple(event["acted"]),
        trace=tuple(event["trace"]), wall=round(event["wall"], 4),
    )  # fmt: skip
