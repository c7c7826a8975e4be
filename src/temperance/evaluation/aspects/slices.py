"""Where the model does worse: parts of the rows against the rest, corrected for how many parts were looked at."""

from __future__ import annotations

from dataclasses import replace
from typing import final

import numpy as np

from temperance.evaluation.aspects.base import Aspect, Case, Reading
from temperance.evaluation.slicing import slices, worst
from temperance.evaluation.words import slice_sentence
from temperance.records.measurement import Measurement

TAIL = 0.2
SHOWN = 3


@final
class Slices(Aspect):
    """Each category and each quarter of a column; "too few rows" where nothing can be said."""

    name = "slices"
    title = "parts of the rows where it does worse"

    def _measure(self, case: Case) -> Reading:
        done = case.evaluation
        found = done.slices if done is not None else slices(case.table, case.index, case.outcome)
        states = [one.state for one in found]
        measurements = [*_tail(case)]
        one = worst(found)
        if one is not None:
            how = f"{one.column} = {one.value}; the worst of {len(found)} parts, picked on these rows: look at it anew"
            measurements.insert(0, replace(one.measurement, name=f"{one.measurement.name}/worst_slice", convention=how))
        said = [slice_sentence(s) for s in found if s.state == "worse"][:SHOWN]
        if not said:
            said = [f"Of {len(found)} parts of the rows none is clearly worse than the rest."] if found else []
        few = states.count("too_small")
        if few:
            said.append(f"{few} parts have too few rows to tell.")
        return Reading(
            self.name, tuple(measurements), tuple(said),
            {"slices": [s.to_dict() for s in found], "worse": states.count("worse"), "too_small": few,
             "control": "Benjamini and Hochberg at 0.1 within groups and within answers"},
        )  # fmt: skip


def _tail(case: Case) -> list[Measurement]:
    """Return the mean loss of the fifth of rows with the largest loss: what the average hides."""
    seen = case.outcome
    if seen.task != "regression" and not case.subject.has("probabilities"):
        return []
    loss = np.abs(seen.prediction - seen.target) if seen.task == "regression" else _log_loss(case)
    kept = np.sort(loss)[::-1][: max(1, round(TAIL * len(loss)))]
    return [
        Measurement(
            "cvar_20",
            float(kept.mean()),
            None,
            None,
            len(loss),
            better="lower",
            convention="mean loss of the fifth of rows with the largest loss (absolute error, or log loss)",
        )
    ]


def _log_loss(case: Case) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    seen = case.outcome
    chance = np.clip(seen.prediction[np.arange(seen.n), seen.target], 1e-7, None)
    out: np.ndarray[tuple[int], np.dtype[np.float64]] = -np.log(chance)
    return out
