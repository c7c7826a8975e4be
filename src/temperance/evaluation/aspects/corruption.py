"""Aspect: damage of the raw inputs before any preprocessing, and another mix of classes."""

from __future__ import annotations

from typing import Any, ClassVar, final

from temperance.evaluation.aspects.base import Aspect, Case, Need, Reading
from temperance.evaluation.corruption.registry import CORRUPTIONS
from temperance.evaluation.harness import SUITES
from temperance.evaluation.prior_shift import prior_shift
from temperance.evaluation.robustness import Robustness, probe
from temperance.records.measurement import Measurement

COMMON = "every model meets the same damage: its random numbers depend on seed, family, repeat and batch alone"


@final
class CorruptionAspect(Aspect):
    """Five severities of each family that fits the data; the clean answers of the same rows beside them."""

    name: ClassVar[str] = "corruption"
    title: ClassVar[str] = "Damaged inputs"
    needs: ClassVar[tuple[Need, ...]] = ("rows",)

    def _measure(self, case: Case) -> Reading:
        found = self._probed(case)
        figures = [found.overall, found.clean, *found.drops, *(cell.measurement for cell in found.cells)]
        details: dict[str, Any] = {"robustness": found.to_dict(), "convention": COMMON}
        told = _told(found, overall=case.evaluation is None)
        if case.subject.task != "regression":
            shifted = prior_shift(case.outcome, case.subject.classes)
            figures += shifted
            if shifted:
                worst = min(shifted, key=lambda m: m.value)
                told = (*told, _mixed(worst))
        return Reading(
            "",
            tuple(figures),
            told,
            details,
            {"robustness_loss": found.losses},
            found.rows,
            found.left_out,
            (),
            case.seed,
        )

    def _probed(self, case: Case) -> Robustness:
        before = case.evaluation
        if (
            before is not None
            and before.robustness is not None
            and (before.suite, before.seed) == (case.tier, case.seed)
        ):
            return before.robustness
        effort = SUITES[case.tier]
        limit = effort.rows if case.table.schema.kind == "table" else effort.images
        return probe(
            case.subject.predictor, case.table, case.index, basic=effort.basic, repeats=effort.repeats, limit=limit,
            seed=case.seed, budget_seconds=case.seconds_left,
        )  # fmt: skip


def _told(found: Robustness, *, overall: bool) -> tuple[str, ...]:
    if not found.drops:
        return ("Nothing in these rows could be damaged.",)
    ordered = sorted(found.drops, key=lambda m: -m.value)
    told = []
    if overall:  # a vetting has said it before
        told.append(
            f"Damaged inputs: {found.overall.value:.3f} instead of {found.clean.value:.3f}, mean of {len(found.drops)} "
            "kinds of damage in five sizes."
        )
    for drop in [one for one in ordered[:3] if one.value >= 0.0005]:
        family = drop.name.rsplit("/", 1)[-1]
        told.append(
            f"{CORRUPTIONS[family].words.split(' (')[0].capitalize()}: {drop.value:.3f} lower than without, on average."
        )
    return tuple(told)


def _mixed(worst: Measurement) -> str:
    share = worst.name.split("/")
    right = f"{100 * worst.value:.0f} of 100 rows"
    return f"If {share[1]!r} becomes {share[2]} times as common against the rest, it is right for {right}."
