"""Aspect: what the worst small changes of the inputs do, how far the attacks can be believed, and what is proven."""

from __future__ import annotations

from typing import ClassVar, final

from temperance.evaluation.aspects.base import Aspect, Case, Need, Reading
from temperance.evaluation.aspects.robust_figures import PLANS, PREFIXES, chosen_rows


@final
class Adversarial(Aspect):
    """Attacks within budgets, on pictures as they are and on tables within the rules of their columns.

    Budgets of ``robust@…``: for pictures the share of the range of a pixel (8/255 ≈ 0.031); for tables the change of
    each number in units of its column's spread, categories as they are. ``robust_l2@…``: for pictures, the root of the
    summed squares. ``robust_columns@k``: for tables, any valid values in at most k columns.
    Settings: ``budgets`` (numbers), ``rules`` (``Rules``; proposed from the rows where none are given), ``costs``
    (budgets in the units of the rules' prices, if these name prices).
    """

    name: ClassVar[str] = "adversarial"
    title: ClassVar[str] = "Worst small changes of the inputs"
    needs: ClassVar[tuple[Need, ...]] = ("rows",)

    def why_not(self, case: Case) -> str:
        """Attacks need classes, and something that can be moved."""
        if case.subject.task == "regression":
            return "attacks are built for classes, not for numbers"
        rows = case.rows
        if rows.images is None and not (rows.numeric.shape[1] or rows.categorical.shape[1]):
            return "there is no number and no category to change: texts and series are not attacked"
        return ""

    def claims(self, name: str) -> bool:
        """Say whether a required figure is accuracy under attack."""
        return name.startswith(tuple(PREFIXES.values()))

    def _measure(self, case: Case) -> Reading:
        plan = PLANS[case.tier]
        index = chosen_rows(case, plan)
        if case.table.schema.kind == "images":
            from temperance.evaluation.aspects import adversarial_pictures as one
        else:
            from temperance.evaluation.aspects import adversarial_tables as one  # type: ignore[no-redef]
        found: Reading = one.measure(case, index, plan)
        return found
