"""How good the answers are: each metric of the task, and the answers row by row."""

from __future__ import annotations

from typing import Any, final

from numpy.typing import NDArray

from temperance.evaluation.aspects.base import Aspect, Case, Reading
from temperance.evaluation.base import Outcome
from temperance.evaluation.metrics.registry import metric, select
from temperance.evaluation.words import sentence


@final
class Predictive(Aspect):
    """Accuracy and its sisters, or errors of values, as the harness measures them."""

    name = "predictive"
    title = "quality of the answers"

    def _measure(self, case: Case) -> Reading:
        done = case.evaluation
        if done is None:
            chosen = select(case.outcome, basic=case.tier == "quick", seed=case.seed)
            found = tuple(m.measure(case.outcome) for m in chosen)
        else:
            found = tuple(m for m in done.measurements if m.name != "robustness")
        if not case.subject.has("probabilities"):
            found = tuple(m for m in found if m.name in ANSWER_ALONE)
        told = ("accuracy", "balanced_accuracy") if case.subject.task != "regression" else ("mae", "r2")
        said = tuple(sentence(m, task=case.subject.task) for m in found if m.name in told)
        return Reading(self.name, found, said, examples=per_row(case.outcome, case.subject.classes))


ANSWER_ALONE = ("accuracy", "balanced_accuracy", "macro_f1", "level_mae", "qwk", "expected_cost")


def per_row(seen: Outcome, classes: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Return what each row was answered and what it cost: from these columns every figure follows again."""
    if seen.task == "regression":
        ends = {name: part for name, part in (("low", seen.low), ("high", seen.high)) if part is not None}
        return {"truth": seen.target, "answer": seen.prediction, "error": seen.prediction - seen.target, **ends}
    chances = {f"probability_{name}": seen.prediction[:, k] for k, name in enumerate(classes)}
    loss = metric("log_loss").contributions(seen)
    return {"truth": seen.target, "answer": seen.label, "correct": seen.correct, "log_loss": loss, **chances}
