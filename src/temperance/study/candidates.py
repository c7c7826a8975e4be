"""Candidates from outside compete like any basic model; a winner that cannot ship is distilled into a small net."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from temperance.models.basic.outside import PICKLE, estimator
from temperance.records.errors import TaskError
from temperance.study.results import candidate
from temperance.study.spec import TrialSpec
from temperance.study.state import Result


def outside_specs(candidates: Sequence[Any], work: Path, *, seed: int) -> list[TrialSpec]:
    """Return one trial per candidate; each is opened once, so that a mistake shows before anything is trained.

    Args:
        candidates: ``module:name``, or estimators, which are written to ``work/candidates/`` for the workers.
        work: the study's ``work`` folder.
        seed: of the trials.

    Raises:
        TaskError: a candidate that cannot be imported, pickled or used.

    """
    specs = []
    for number, one in enumerate(candidates):
        origin = one if isinstance(one, str) else _written(one, work / "candidates" / f"{number}.pickle")
        made, _ = estimator(origin, seed=seed)
        named = not origin.startswith(PICKLE)
        name = f"candidate {one}" if named else f"candidate {number + 1} ({type(made).__name__})"
        specs.append(TrialSpec("", name, "basic", "Outside", settings={"origin": origin}, seed=seed))
    return specs


def kept_candidates(names: Sequence[str], work: Path) -> tuple[str, ...]:
    """Return the candidates of an earlier run of a study, from ``settings.to_dict()`` and its ``work`` folder."""
    return tuple(
        name if ":" in name else f"{PICKLE}{(work / 'candidates' / f'{number}.pickle').resolve()}"
        for number, name in enumerate(names)
    )


def students(
    results: Sequence[Result], base: TrialSpec, *, max_latency_ms: float | None = None, max_bytes: float | None = None
) -> tuple[list[TrialSpec], list[dict[str, str]]]:
    """Return a net to distil from each candidate that wins and cannot ship, and rows of ``left_out`` that say why.

    A candidate wins where no finished trial that may ship has a lower loss. What the report shows of a student are its
    own figures: it is a trial of its own, measured on the same rows.

    Args:
        results: of the study so far.
        base: a net whose recipe and training settings the student takes.
        max_latency_ms: limit of the study.
        max_bytes: limit of the study.

    """
    limits = {"max_latency_ms": max_latency_ms, "max_bytes": max_bytes}
    done = [r for r in results if r.quality is not None and r.spec.kind != "ensemble"]
    ready = [r.quality for r in done if r.quality is not None and candidate(r, **limits).allowed]
    specs, reasons = [], []
    for one in done:
        if one.spec.model != "Outside" or candidate(one, **limits).allowed:
            continue
        why = one.event.get("cannot_export") or "it is over --max-latency or --max-size"
        if one.quality is None or one.quality >= min(ready, default=float("inf")):
            reasons.append({"what": f"{one.spec.name} as the winner", "why": f"{why}; another model is better anyway"})
            continue
        reasons.append({"what": f"{one.spec.name} as the winner", "why": f"{why}; a net was distilled from it"})
        architecture = {**base.architecture, "members": 4} if base.model == "Tabular" else base.architecture
        student = base.changed(
            id="", name=f"net distilled from {one.spec.name}", kind="single", adaptive=False, slots=(),
            recipe={"regularizers": (base.recipe or {}).get("regularizers", [])}, architecture=architecture,
            teacher=one.spec.to_dict(), most_rows=one.spec.most_rows,
        )  # fmt: skip
        specs.append(student)
    return specs, reasons


def _written(one: Any, path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.write_bytes(pickle.dumps(one))
    except Exception as fault:  # pickle raises many kinds
        raise TaskError(
            f"the candidate {type(one).__name__} cannot be handed to a worker: {fault}",
            "an estimator that pickle can write", "Name it as module:name instead",
        ) from fault  # fmt: skip
    return f"{PICKLE}{path.resolve()}"
