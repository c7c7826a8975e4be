import json

import numpy as np
import pytest

from temperance.evaluation.aspects.adversarial import Adversarial
from temperance.evaluation.aspects.base import Case, Subject
from temperance.evaluation.schema.propose import propose
from temperance.evaluation.schema.rules import ColumnRule, Rules
from temperance.evaluation.schema.space import Budget, Space
from temperance.records.errors import SettingError


def test_a_net_on_a_table(netted):
    table, subject = netted
    found = Adversarial().measure(Case(subject, table, np.arange(600), required=("robust@0.3",)))
    values = [found[f"robust@{eps:g}"].value for eps in (0, 0.05, 0.1, 0.25, 0.3, 0.5, 1.0)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.8
    assert values[-1] < 0.2
    assert found.details["masking"]["trustworthy"]
    assert found.flags == ()
    assert "Wilson" in found["robust@0.1"].convention
    assert found["robust@0.1"].low < values[2] < found["robust@0.1"].high
    assert found.examples["robust@0.1"].sum() == round(values[2] * len(found.index))
    assert "could exist" in " ".join(found.sentences)
    json.dumps(found.to_dict(), allow_nan=False)


def test_without_a_net_answers_alone_find_nearly_as_much(netted):
    table, subject = netted
    blind = Subject(subject.predictor)
    settings = {"adversarial": {"budgets": [0.25]}}
    seen, asked = (
        Adversarial().measure(Case(one, table, np.arange(600), settings=settings))["robust@0.25"].value
        for one in (subject, blind)
    )
    assert asked == pytest.approx(seen, abs=0.03)


def test_the_owner_s_rules_hold_and_broken_rows_are_shown(netted):
    table, subject = netted
    rules = propose(table)
    columns = {**rules.columns, "x0": ColumnRule(-5, 5, "fixed"), "city": ColumnRule(change="fixed")}
    case = Case(
        subject, table, np.arange(600), settings={"adversarial": {"rules": Rules(columns), "costs": [0.5, 1.0]}}
    )
    found = Adversarial().measure(case)
    assert found.details["rules"]["from"] == "the owner"
    shown = found.details["broken_rows"]
    assert shown
    assert found.flags == ()
    for row in shown:
        assert set(row["changes"]) <= {"x1", "x2", "x3"}
        assert row["truth"] != row["answer"]
    assert found["robust_cost@1"].value <= found["robust_cost@0.5"].value
    free = Adversarial().measure(case.but(settings={}))
    assert free["robust@0.5"].value < found["robust@0.5"].value
    assert Space(Rules(columns), table.schema).valid(table.rows, table.rows, Budget(columns=0)).all()


def test_standard_sets_problems_for_the_attack(netted):
    table, subject = netted
    found = Adversarial().measure(Case(subject, table, np.arange(100), "standard"))
    assert found.details["active"]["tried"] + found.details["active"]["impossible"] == 40
    with pytest.raises(SettingError, match="Read the file first"):
        Adversarial().measure(Case(subject, table, np.arange(100), settings={"adversarial": {"rules": "rules.toml"}}))


def test_rows_that_break_the_rules_do_not_count_as_robust(netted):
    table, subject = netted
    rules = Rules({**propose(table).columns, "x0": ColumnRule(-1.0, 1.0)})
    found = Adversarial().measure(Case(subject, table, np.arange(600), settings={"adversarial": {"rules": rules}}))
    left = next(what for what, why in found.not_done if "break the rules" in why)
    assert int(left.split()[0]) + found["robust@0.1"].n == 150
    none = Rules({"x0": ColumnRule(90.0, 91.0)})
    with pytest.raises(SettingError, match="none of 150 rows keeps"):
        Adversarial().measure(Case(subject, table, np.arange(600), settings={"adversarial": {"rules": none}}))
