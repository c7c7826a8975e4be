import pytest

from temperance.evaluation.schema.rules import ColumnRule, Rules, Sum, from_dict
from temperance.records.errors import SettingError


def test_a_column_without_a_rule_is_fixed(loans):
    found = Rules({"age": ColumnRule(18, 100)}).check(loans.schema)
    assert found.columns["age"].change == "free"
    assert {name for name, rule in found.columns.items() if rule.change == "fixed"} == {
        "first", "second", "owed", "paid", "is_a", "is_b", "is_c", "city", "job",
    }  # fmt: skip


def test_prices():
    assert ColumnRule(scale=4.0).price == 0.25
    assert ColumnRule(scale=4.0, cost=3.0).price == 3.0
    assert (ColumnRule().price_of_change, ColumnRule(cost=7.0).price_of_change) == (1.0, 7.0)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (Rules({"agee": ColumnRule()}), "Did you mean 'age'"),
        (Rules({"age": ColumnRule(5, 4)}), "low = 5 above high = 4"),
        (Rules({"age": ColumnRule(change="sideways")}), "change = 'sideways'"),
        (Rules({"age": ColumnRule(scale=0.0)}), "scale = 0.0"),
        (Rules({"age": ColumnRule(cost=-1.0)}), "cost = -1.0"),
        (Rules({"age": ColumnRule(low=float("nan"))}), "not finite"),
        (Rules({"city": ColumnRule(change="up")}), "for categories"),
        (Rules({"city": ColumnRule(values=("z",))}), "not among its categories"),
        (Rules(at_most=(("age", "city"),)), "a relation of 'city'"),
        (Rules(sums=(Sum(("age", "first"), "total"),)), "a relation of 'total'"),
        (Rules(one_of=(("is_a", "is_b"), ("is_b", "is_c"))), "two groups"),
    ],
)
def test_rules_that_do_not_fit_are_refused(loans, rules, said):
    with pytest.raises(SettingError, match=said):
        rules.check(loans.schema)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"colums": {}}, "Did you mean 'columns'"),
        ({"columns": {"a": {"lowest": 1}}}, "lowest"),
        ({"columns": {"a": {"low": "1"}}}, "low = '1'"),
        ({"columns": {"a": {"integer": 1}}}, "integer = 1"),
        ({"columns": {"a": 3}}, "a table of keys"),
        ({"at_most": [["a"]]}, "a list of 2 names"),
        ({"at_most": [["a", "a"]]}, "different columns"),
        ({"one_of": [["a"]]}, "at least 2 names"),
        ({"sums": [{"parts": ["a", "b"]}]}, "Add what is missing"),
        ({"sums": 3}, "sums = 3"),
        ({"one_of": 3}, "one_of = 3"),
        ({"at_most": "ab"}, "at_most = 'ab'"),
    ],
)
def test_files_that_are_no_rules_are_refused(row, said):
    with pytest.raises(SettingError, match=said):
        from_dict(row)
