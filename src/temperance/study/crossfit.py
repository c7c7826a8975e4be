"""One trial of a basic model over the folds, in a worker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from temperance.evaluation.robustness import probe
from temperance.models import BASIC, cross_fit
from temperance.models.basic import Sample
from temperance.records.cost import TrialCost
from temperance.records.roles import sample
from temperance.study.runner import LATENCY_ROWS, BasicPredictor, Fitted, Runner
from temperance.study.serving import served_cost
from temperance.study.spec import TrialSpec
from temperance.training.price import peak_memory_bytes

ROBUST_ROWS, SCALE_ROWS = 400, 5000


def run(
    runner: Runner,
    spec: TrialSpec,
    folder: Path,
    deadline: float,
    say: Callable[[dict[str, Any]], dict[str, Any]],
    robust: bool,
) -> dict[str, Any]:
    """Run one trial of a basic model over the folds; its out-of-fold answers go to ``selection.npy``.

    One setting and one stopping point are chosen for all folds together, by the answers that are compared.

    ``deadline`` is in seconds of ``time.monotonic``.
    """
    table, folds = runner.table, runner.roles.folds
    whole = Sample(table.rows, table.target, table.weight)
    found = cross_fit(
        BASIC[spec.model](**spec.settings), whole, folds, schema=runner.schema, seed=spec.seed, until=deadline,
        inputs=runner.blocks,
    )  # fmt: skip
    if found is None:
        late = {"status": "discarded", "why": "out of time"}
        return {"id": spec.id, "cost": TrialCost().to_dict(), "chosen": None, **late}
    member, (rows, held) = found.members[0], folds[0]
    cost = TrialCost(seconds=found.seconds, peak_memory_bytes=peak_memory_bytes(), parameters=member.parameters,
                     bytes=8 * member.parameters)  # fmt: skip
    fitted = Fitted(spec, BasicPredictor(runner.schema, member), cost, None, found.chosen)
    np.save(folder / "selection.npy", found.answers)
    fitted.cost = served_cost(runner, fitted, table.rows.take(rows[:LATENCY_ROWS]))
    return {
        "id": spec.id, "cost": fitted.cost.to_dict(), "chosen": found.chosen, "status": "done",
        "tried": found.tried, "again": found.again, "cannot_export": fitted.cannot_export,
        "files": {"selection": "selection.npy", "calibration": ""},
        "robustness": probe(
            fitted.predictor, table, held, limit=ROBUST_ROWS, clean_rows=sample(rows, SCALE_ROWS)
        ).overall.to_dict() if robust else None,
    }  # fmt: skip
