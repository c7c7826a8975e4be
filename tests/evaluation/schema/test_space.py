import numpy as np
import pytest

from temperance.evaluation.schema.space import Budget, Space
from temperance.records.errors import SettingError
from temperance.records.schema import UNSEEN, Rows

ROW = Rows(np.array([[40.0, 100, 200, 300, 150, 0, 1, 0]]), np.array([[0, 1]], np.int32))
WIDE = Budget(scales=100.0)


def changed(values, codes=(0, 1)):
    x = ROW.numeric.copy()
    for j, value in values.items():
        x[0, j] = value
    return Rows(x, np.array([codes], np.int32))


@pytest.mark.parametrize(
    ("row", "fine"),
    [
        (changed({}), True),
        (changed({0: 45}), True),
        (changed({0: 39}), False),  # ages only rise
        (changed({0: 45.5}), False),  # whole numbers
        (changed({0: 101}), False),  # bounds
        (changed({4: 300}), True),
        (changed({4: 301}), False),  # paid ≤ owed
        (changed({1: 110}), False),  # the sum is wrong
        (changed({1: 110, 3: 310}), True),
        (changed({5: 1, 6: 0}), True),
        (changed({5: 1}), False),  # two of a group
        (changed({6: 0}), False),  # none of a group
        (changed({0: np.nan}), False),  # a value does not go missing
        (changed({}, (2, 1)), True),
        (changed({}, (1, 1)), False),  # v is not among the values for city
        (changed({}, (0, 2)), False),  # the job is fixed
        (changed({}, (UNSEEN, 1)), False),
    ],
)
def test_one_rule_at_a_time(loans, rules, row, fine):
    assert Space(rules, loans.schema).valid(ROW, row, WIDE).tolist() == [fine]


def test_budgets(loans, rules):
    space = Space(rules, loans.schema)
    row = changed({0: 45, 5: 1, 6: 0}, (2, 1))  # age by half a scale, another group, another city
    assert space.count(ROW, row).tolist() == [3]
    assert space.cost(ROW, row).tolist() == pytest.approx([0.5 + 2 + 1])
    for budget, fine in (
        (Budget(scales=0.5), True), (Budget(scales=0.49), False), (Budget(columns=3), True), (Budget(columns=2), False),
        (Budget(cost=3.5), True), (Budget(cost=3.4), False), (Budget(scales=1.0, categories=False), False),
    ):  # fmt: skip
        assert space.valid(ROW, row, budget).tolist() == [fine], budget
    assert Budget(scales=0.25, columns=2, categories=False).words == (
        "each number by up to 0.25 of its spread, any valid value in at most 2 columns, categories as they are"
    )


def test_rows_that_are_not_sound_are_told_by_rule(loans, rules):
    space = Space(rules, loans.schema)
    assert space.sound(loans.rows).all()
    faults = space.faults(changed({3: 999, 0: np.inf}))
    assert {name for name, mask in faults.items() if mask[0]} == {"finite", "bounds", "sum 3"}


def test_a_missing_value_breaks_no_rule_and_stays_missing(loans, rules):
    space = Space(rules, loans.schema)
    gap = changed({4: np.nan})
    assert space.sound(gap).all()
    assert space.valid(gap, gap, WIDE).all()
    assert not space.valid(gap, ROW, WIDE).any()


def test_what_can_be_reached(loans, rules):
    low, high = Space(rules, loans.schema).reach(ROW, Budget(scales=0.5))
    assert (low[0, 0], high[0, 0]) == (40, 45)
    assert (low[0, 1], high[0, 1]) == (50, 150)
    assert (low[0, 5:] == high[0, 5:]).all()  # groups do not move bit by bit


@pytest.mark.parametrize("limits", [{}, {"scales": -1.0}, {"cost": float("inf")}])
def test_a_budget_has_a_limit(limits):
    with pytest.raises(SettingError, match="at least one limit"):
        Budget(**limits)
