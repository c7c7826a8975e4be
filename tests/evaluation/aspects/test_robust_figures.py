import numpy as np
import pytest

from temperance.evaluation.aspects.base import Case, Subject
from temperance.evaluation.aspects.robust_figures import PLANS, budgets, chosen_rows, doubts, share
from temperance.records.errors import SettingError
from temperance.records.statistics import wilson


def test_budgets_are_the_usual_ones_or_the_user_s_and_the_required_ones(binary):
    table, model = binary
    case = Case(Subject(model), table, np.arange(30), required=("robust@0.3", "robust_l2@2", "ece"))
    assert budgets(case, "Linf", (0.1, 0.2)) == (0.1, 0.2, 0.3)
    assert budgets(case.but(settings={"adversarial": {"budgets": [0.7]}}), "Linf", (0.1,)) == (0.3, 0.7)
    assert budgets(case, "L2", (1.0,)) == (1.0, 2.0)
    for bad, said in (
        ({"required": ("robust@much",)}, "and a number"),
        ({"settings": {"adversarial": {"budgets": [0]}}}, "above 0"),
    ):
        with pytest.raises(SettingError, match=said):
            budgets(case.but(**bad), "Linf", (0.1,))


def test_rows_and_shares(binary):
    table, model = binary
    case = Case(Subject(model), table, np.arange(900), seed=4)
    rows = chosen_rows(case, PLANS["quick"])
    assert len(np.unique(rows)) == PLANS["quick"].rows
    assert np.array_equal(rows, chosen_rows(case, PLANS["quick"]))
    kept = np.arange(len(rows)) % 4 > 0
    found = share(case, rows, "robust@0.1", kept, how="said")
    low, high = wilson(kept.sum(), len(kept))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_doubts_name_the_hard_signs_alone():
    signs = {
        "trustworthy": False,
        "signs": [
            {"words": "one", "shows": True, "hard": True}, {"words": "two", "shows": True, "hard": False},
            {"words": "three", "shows": False, "hard": True},
        ],
    }  # fmt: skip
    assert doubts(signs, None) == ("not trustworthy: one",)
    assert doubts(None, {"passed": False, "solved": 3, "tried": 40}) == (
        "not trustworthy: the attack solved 3 of 40 problems that have a solution",
    )
    assert doubts(None, {"passed": None}) == ()
