import pytest

from temperance import EMA, SWA, Dropout, LabelSmoothing, MixUp
from temperance.core.regularizer import techniques
from temperance.core.rules import Rule, meetings, refuse
from temperance.records.errors import RecipeError


def test_a_rule_meets_by_role_and_each_pair_once():
    found = meetings((EMA(), SWA()))
    assert len(found) == 1
    assert {found[0].first, found[0].second} == {"EMA", "SWA"}
    assert found[0].rule.verdict == "refuse"
    assert str(found[0]).endswith("Keep one of them.")


def test_a_rule_meets_by_class_name():
    class Shy(Dropout):
        rules = (Rule("MixUp", "warn", "it is shy", "Leave it alone"),)

    assert [m.second for m in meetings((Shy(0.1), MixUp()))] == ["MixUp"]
    assert meetings((Shy(0.1), EMA())) == []


def test_refusal_names_both():
    with pytest.raises(RecipeError, match="EMA and SWA"):
        refuse((EMA(), Dropout(), SWA()))
    refuse((EMA(), Dropout(), LabelSmoothing()))


def test_rules_of_every_technique_name_something_that_exists():
    known = set(techniques) | {role for _, cls in techniques.items() for role in cls.roles}
    for name, cls in techniques.items():
        for rule in cls.rules:
            assert rule.meets in known, (name, rule)
            assert not rule.why.endswith(".")
            assert not rule.remedy.endswith(".")
