"""Do stated chances come true: errors beside what chance alone gives, and what a fitted correction would change."""

from __future__ import annotations

from typing import final

from temperance.evaluation.aspects.base import Aspect, Case, Reading
from temperance.evaluation.aspects.splitting import LEAST, halves
from temperance.evaluation.base import Outcome
from temperance.evaluation.calibration import Temperature
from temperance.evaluation.calibration.base import floored_logs, softmax
from temperance.evaluation.calibration_errors import classwise_ece, debiased_rmsce, mce, rmsce
from temperance.evaluation.comparison import compare
from temperance.evaluation.diagram import reliability
from temperance.evaluation.metrics.ece import Ece, EceEqualWidth, EceFloor, below_floor
from temperance.evaluation.metrics.log_loss import LogLoss
from temperance.records.measurement import Measurement

CLASSES = 20  # classwise error up to so many classes


@final
class CalibrationAspect(Aspect):
    """ECE with its noise floor, its sisters, and a temperature fitted on one half and judged on the other."""

    name = "calibration"
    title = "calibration of the stated chances"
    needs = ("probabilities",)

    def why_not(self, case: Case) -> str:
        if case.subject.task == "regression":
            return "values have no stated chances; what their ranges hold is told elsewhere"
        return "" if case.table.weight is None else "its bins count rows, and these have weights"

    def _measure(self, case: Case) -> Reading:
        seen = case.outcome
        first = Ece(seed=case.seed).measure(seen)
        floor = EceFloor(seed=case.seed).measure(seen)
        found = [first, EceEqualWidth(seed=case.seed).measure(seen), floor, *_plain(seen)]
        said = [_sentence(first, floor, seen)]
        details: dict[str, object] = {"reliability": [b.to_dict() for b in reliability(seen)]}
        left: tuple[tuple[str, str], ...] = ()
        if seen.n >= LEAST:
            measured, words, row = _corrected(case, seen)
            found.append(measured)
            said.append(words)
            details["temperature"] = row
        else:
            left = (("a fitted temperature", f"{seen.n} rows are too few to fit and to judge"),)
        return Reading(self.name, tuple(found), tuple(said), details, not_done=left)


def _plain(seen: Outcome) -> list[Measurement]:
    """Return errors without an interval of their own: the convention says what they are."""
    pairs = [
        ("mce", mce(seen.confidence, seen.sure), "largest gap of a bin, 15 equal-width bins"),
        ("rmsce", rmsce(seen.confidence, seen.sure), "root mean squared gap, 15 equal-width bins"),
        ("rmsce_debiased", debiased_rmsce(seen.confidence, seen.sure), "15 equal-mass bins, less the bias of chance"),
    ]
    if seen.prediction.shape[1] <= CLASSES:
        value = classwise_ece(seen.prediction, seen.target)
        pairs.append(("classwise_ece", value, "mean over classes, 15 equal-width bins"))
    return [Measurement(name, value, None, None, seen.n, convention=how, better="lower") for name, value, how in pairs]


def _sentence(first: Measurement, floor: Measurement, seen: Outcome) -> str:
    chance = f"chance alone gives up to {100 * floor.value:.1f}"
    if below_floor(first):
        return f"Stated chances fit what happened: off by {100 * first.value:.1f} in 100, and {chance}."
    side = "surer than it is right" if seen.confidence.mean() > seen.sure.mean() else "less sure than it could be"
    return f"Stated chances are off by {100 * first.value:.1f} in 100, where {chance}: the model is {side}."


def _corrected(case: Case, seen: Outcome) -> tuple[Measurement, str, dict[str, object]]:
    """Fit a temperature on one half; return what it does to the log loss of the other half."""
    fit, held, how = halves(case, salt=0xCA1B)
    logs = floored_logs(seen.prediction)
    fitted = Temperature.fit(logs[fit], seen.target[fit])
    rest = seen.take(held)
    after = Outcome(softmax(fitted.scores(logs[held])), rest.target, rest.task, groups=rest.groups)
    found = compare(LogLoss().losses(after), LogLoss().losses(rest), metric="log_loss", groups=rest.groups)
    d = found.difference
    measured = Measurement(
        "log_loss_after_temperature", LogLoss().measure(after).value, *_ends(after), rest.n, better="lower",
        convention=f"temperature fitted on {how}",
    )  # fmt: skip
    words = {
        "better": f"A temperature of {fitted.value:.2f} would help: log loss lower by {-d.value:.3g} on other rows.",
        "worse": f"A temperature of {fitted.value:.2f} would hurt on rows it was not fitted on: leave it out.",
        "no evidence of difference": "One fitted temperature would change nothing that these rows can show.",
    }[found.verdict]
    row = {
        "temperature": fitted.value, "how": how, "rows": int(rest.n), "difference": d.to_dict(), "p": found.p,
        "verdict": found.verdict, "ece_before": Ece(seed=case.seed).measure(rest).value,
        "ece_after": Ece(seed=case.seed).measure(after).value,
    }  # fmt: skip
    return measured, words, row


def _ends(after: Outcome) -> tuple[float | None, float | None]:
    m = LogLoss().measure(after)
    return m.low, m.high
