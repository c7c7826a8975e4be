import numpy as np
import pytest

from temperance.evaluation.schema.repair import repair
from temperance.evaluation.schema.rules import ColumnRule, Rules
from temperance.evaluation.schema.space import Budget, Space
from temperance.records.schema import Rows


@pytest.mark.parametrize(
    "budget", [Budget(scales=0.5), Budget(columns=2), Budget(cost=1.5), Budget(scales=1.0, columns=3, cost=2.0)]
)
def test_wild_wishes_become_valid_rows_and_many_of_them_differ(loans, rules, budget):
    space = Space(rules, loans.schema)
    g = np.random.default_rng(0)
    wild = Rows(
        loans.rows.numeric + g.normal(size=loans.rows.numeric.shape) * space.scale,
        g.integers(-2, 3, loans.rows.categorical.shape).astype(np.int32),
    )
    found, differs = repair(space, loans.rows, wild, budget)
    assert space.valid(loans.rows, found, budget).all()
    assert differs.mean() > 0.4
    assert np.array_equal(differs, space.count(loans.rows, found) > 0)


def test_relations_are_mended_not_only_refused(loans, rules):
    space = Space(rules, loans.schema)
    row = Rows(np.array([[40.0, 100, 200, 300, 290, 0, 1, 0]]), np.array([[0, 1]], np.int32))
    wish = row._replace(numeric=np.array([[44.7, 149.6, 200, 0, 999, 0.2, 0.1, 0.9]]))
    found, differs = repair(space, row, wish, Budget(scales=0.5))
    assert differs.all()
    assert found.numeric[0].tolist() == [44, 149, 200, 349, 340, 0, 0, 1]
    lower = row._replace(numeric=np.array([[40.0, 60, 200, 300, 290, 0, 1, 0]]))
    assert repair(space, row, lower, Budget(scales=0.5))[0].numeric[0].tolist() == [40, 60, 200, 260, 260, 0, 1, 0]


def test_implications_go_back(loans):
    rules = Rules({"first": ColumnRule(0, 600), "second": ColumnRule(0, 600)}, implies=(("first", "second"),))
    row = Rows(np.array([[40.0, 100, 5, 105, 0, 0, 1, 0]]), np.array([[0, 1]], np.int32))
    wish = row._replace(numeric=np.array([[40.0, 120, 0, 105, 0, 0, 1, 0]]))
    found, differs = repair(Space(rules, loans.schema), row, wish, Budget(scales=1000.0))
    assert not differs.any()
    assert np.array_equal(found.numeric, row.numeric)


def test_the_given_rows_stay_as_they_are(loans, rules):
    space = Space(rules, loans.schema)
    before, wild = loans.rows.numeric.copy(), loans.rows.numeric + 7.7
    repair(space, loans.rows, loans.rows._replace(numeric=wild), Budget(scales=1.0))
    assert np.array_equal(loans.rows.numeric, before)
    assert np.array_equal(wild, before + 7.7)
