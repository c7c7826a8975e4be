"""Can it be told from the answers which rows the model learned from?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.aspects.base import Aspect, Case, Reading
from temperance.evaluation.base import Outcome
from temperance.evaluation.prediction import predict
from temperance.evaluation.privacy.attacks import lira, loss_threshold, rmia
from temperance.evaluation.privacy.leakage import Leakage, leakage
from temperance.evaluation.privacy.signals import chances, margins, residuals
from temperance.records.errors import SettingError
from temperance.records.predictor import Predictor

LEAST = 30  # rows of each kind


@final
class Membership(Aspect):
    """Attack by the loss, and by LiRA and RMIA where reference models are given.

    Learned rows are those whose marks the model holds; the others of the case were not learned. Reference models come
    as ``settings["membership"] = {"references": [predictors], "inside": (m, len(table)) booleans}``: whether model j
    learned row i of the table.
    """

    name = "membership"
    title = "rows that the model gives away"
    needs = ("training_rows",)
    tiers = ("standard", "publish")
    learned_too = True

    def claims(self, name: str) -> bool:
        return name.startswith("leakage/")

    def why_not(self, case: Case) -> str:
        learned = int(_learned(case).sum())
        others = len(case.index) - learned
        if min(learned, others) < LEAST:
            return f"{learned} of these rows were learned and {others} were not; it takes {LEAST} of each"
        return ""

    def _measure(self, case: Case) -> Reading:
        member, seen = _learned(case), case.outcome
        signal = _signal(seen, seen.prediction)
        found = [leakage("loss", loss_threshold(-signal), member)]
        not_done = [(f"{one.attack}: {what}", why) for one in found for what, why in one.not_done]
        given = case.settings.get(self.name)
        if given is None:
            not_done.append(("attacks with reference models", "no reference models are given"))
        else:
            found += _with_references(case, seen, signal, member, given)
        figures = [one.auc for one in found] + [rate for one in found for rate in one.rates]
        details = {"attacks": [one.to_dict() for one in found]}
        said = tuple(_said(one) for one in found)
        return Reading(self.name, tuple(figures), said, details, {"signal": signal, "learned": member}, case.index,
                       not_done=tuple(not_done))  # fmt: skip


def _learned(case: Case) -> NDArray[np.bool_]:
    marks = case.subject.training
    assert marks is not None, "the aspect needs them"
    return marks.seen(case.rows, case.table.schema, case.table.target[case.index]).learned


def _signal(seen: Outcome, answers: NDArray[Any]) -> NDArray[np.float64]:
    return residuals(answers, seen.target) if seen.task == "regression" else margins(answers, seen.target)


def _with_references(
    case: Case, seen: Outcome, signal: NDArray[np.float64], member: NDArray[np.bool_], given: Mapping[str, Any]
) -> list[Leakage]:
    models: Sequence[Predictor] = given["references"]
    inside = np.asarray(given["inside"], dtype=bool)
    if not models or inside.shape != (len(models), len(case.table)):
        raise SettingError(
            f"{len(models)} reference models with inside {inside.shape}", f"at least one, and (m, {len(case.table)})",
            "Say of each model and row whether it was learned",
        )  # fmt: skip
    answers = [predict(model, case.table, case.index) for model in models]
    known = inside[:, case.index]
    found = [leakage("lira", lira(signal, np.stack([_signal(seen, a) for a in answers]), known), member)]
    if seen.task != "regression":
        own, others = chances(seen.prediction, seen.target), np.stack([chances(a, seen.target) for a in answers])
        found.append(leakage("rmia", rmia(own, others, known), member))
    return found


def _said(one: Leakage) -> str:
    names = {"loss": "By how good an answer is", "lira": "By LiRA", "rmia": "By RMIA"}
    if not one.rates:
        return f"{names[one.attack]}: {one.verdict}."
    rate = one.rates[0]
    at = float(rate.name.rpartition("@")[2])
    found = f"{100 * rate.value:.1f} % of learned rows are found at {100 * at:g} % false alarms"
    return f"{names[one.attack]}, {found}: {one.verdict}."
