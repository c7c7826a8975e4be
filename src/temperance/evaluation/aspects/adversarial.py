"""Aspect: what the worst small changes of the inputs do, how far the attacks can be believed, and what is proven."""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np

from temperance.evaluation.aspects.base import Aspect, Case, Need, Reading
from temperance.evaluation.aspects.robust_figures import PLANS, PREFIXES, chosen_rows
from temperance.records.errors import SettingError


@final
class Adversarial(Aspect):
    """Attacks within budgets, on pictures as they are and on tables within the rules of their columns.

    Budgets of ``robust@…``: for pictures the share of the range of a pixel (8/255 ≈ 0.031); for tables the change of
    each number in units of its column's spread, categories as they are. ``robust_l2@…``: for pictures, the root of the
    summed squares. ``robust_columns@k``: for tables, any valid values in at most k columns. ``robust_words@k``: slips
    in at most k words of a text.
    Settings under ``adversarial``: ``budgets`` (numbers), ``rules`` (``Rules``; proposed from the rows where none are
    given), ``costs`` (budgets in the units of the rules' prices), ``synonyms`` (words that mean the same, by word).
    """

    name: ClassVar[str] = "adversarial"
    title: ClassVar[str] = "Worst small changes of the inputs"
    needs: ClassVar[tuple[Need, ...]] = ("rows",)

    def why_not(self, case: Case) -> str:
        """Attacks need classes, and something that can be moved."""
        if case.subject.task == "regression":
            return "attacks are built for classes, not for numbers"
        schema = case.table.schema
        if schema.kind == "table" and not (schema.numeric or schema.categorical or schema.text):
            return "there is no number, category or text to change: series are not attacked"
        return ""

    def claims(self, name: str) -> bool:
        """Say whether a required figure is accuracy under attack."""
        return name.startswith(tuple(PREFIXES.values()))

    def _measure(self, case: Case) -> Reading:
        plan = PLANS[case.tier]
        index = chosen_rows(case, plan)
        schema = case.table.schema
        if schema.kind == "images":
            from temperance.evaluation.aspects import adversarial_pictures

            return adversarial_pictures.measure(case, index, plan)
        parts: list[Reading] = []
        if schema.numeric or schema.categorical:
            from temperance.evaluation.aspects import adversarial_tables

            parts.append(adversarial_tables.measure(case, index, plan))
        if schema.text:
            from temperance.evaluation.aspects import adversarial_texts

            parts.append(adversarial_texts.measure(case, index, plan))
        return parts[0] if len(parts) == 1 else _together(*parts)


def _together(first: Reading, second: Reading) -> Reading:
    """Return both readings as one; the per-example results of the second are put among the rows of the first."""
    if first.index is None or second.index is None:
        raise SettingError("readings without rows", "the rows that each rests on", "State them")
    order = np.argsort(first.index, kind="stable")
    place = order[np.searchsorted(first.index[order], second.index)]
    examples = dict(first.examples)
    for name, values in second.examples.items():
        whole = np.full(len(first.index), -1, dtype=values.dtype)  # −1: not asked
        whole[place] = values
        examples[name] = whole
    return Reading(
        "", (*first.measurements, *second.measurements), (*first.sentences, *second.sentences),
        {**first.details, **second.details}, examples, first.index, (*first.not_done, *second.not_done),
        (*first.flags, *second.flags), first.seed,
    )  # fmt: skip
