from __future__ import annotations

import json

import numpy as np
import pytest

from temperance import audit
from temperance.governance import Representativeness
from temperance.governance.representativeness import Attribute, every_check, rows_needed
from temperance.records.errors import SettingError
from temperance.records.intervals import wilson


def people(n=4000, seed=0, hole=True):
    g = np.random.default_rng(seed)
    sex, age = g.choice(["f", "m"], n), g.uniform(20, 90, n)
    region = g.choice(["north", "south", "west"], n)
    if hole:
        keep = ~((sex == "f") & (age > 55)) | (g.random(n) < 0.02)
        sex, age, region = sex[keep], age[keep], region[keep]
    return {"sex": sex.tolist(), "region": region.tolist()}, {"age": age}


def test_a_planted_hole_is_named(make_context):
    found = {f.id: f for f in Representativeness().inspect(make_context(*people()))}
    finding = found["representativeness:combinations"]
    assert finding.state == "look_at_this"
    top = finding.evidence["examples"][0]
    assert top["groups"]["sex"] == "f"
    assert top["groups"]["age"].endswith("and more")
    assert top["rows"] < 30 < top["expected"]
    assert "Only" in finding.title
    assert "chance would give" in finding.title
    assert found["representativeness:groups"].state == "no_problem_found"


def test_without_holes_nothing_is_named(make_context):
    for finding in Representativeness().inspect(make_context(*people(hole=False))):
        assert finding.state == "no_problem_found"
    assert finding.confidence["found"] == finding.confidence["planted"] == 5


def test_thin_groups(make_context):
    words = {"city": ["a"] * 300 + ["b"] * 11}
    groups = Representativeness().inspect(make_context(words))[0]
    assert groups.state == "look_at_this"
    assert groups.title == "Only 11 rows of 311 have 'b' in 'city'."


def test_patterns_agree_with_the_plain_search():
    g = np.random.default_rng(0)
    columns = [Attribute(name, g.integers(3, size=200), ("0", "1", "2")) for name in "abc"]
    check = Representativeness(least=10)
    found = {tuple(sorted(words.items())) for words, _, _ in check.patterns(columns)}
    slow = set()
    codes = {a.column: a.codes for a in columns}

    def count(pattern):
        return int(np.all([codes[c] == int(v) for c, v in pattern], axis=0).sum()) if pattern else 200

    import itertools

    for depth in (1, 2, 3):
        for names in itertools.combinations("abc", depth):
            for values in itertools.product("012", repeat=depth):
                pattern = tuple(zip(names, values, strict=True))
                parents = itertools.combinations(pattern, depth - 1)
                if count(pattern) < 10 and all(count(p) >= 10 for p in parents):
                    slow.add(pattern)
    assert found == slow
    assert slow


def test_reference_shares(make_context):
    context = make_context({"sex": ["f"] * 100 + ["m"] * 300})
    check = Representativeness(reference={"sex": {"f": 0.5, "m": 0.5}, "race": {"x": 1.0}})
    finding = check.inspect(context)[-1]
    assert finding.state == "look_at_this"
    assert finding.evidence["examples"][0]["total_variation"] == pytest.approx(0.25)
    assert finding.evidence["columns_not_found"] == ["race"]
    assert finding.title.startswith("Of 100 rows, 25 fewer than you expect have 'f'")
    close = Representativeness(reference={"sex": {"f": 0.26, "m": 0.74}})
    assert close.inspect(context)[-1].state == "no_problem_found"
    assert Representativeness(reference={"race": {"x": 1.0}}).inspect(context)[-1].state == "not_tested"


def test_runs_as_a_check_of_the_audit(make_context):
    context = make_context(*people(800))
    findings = audit.inspect(context.table, context.roles, checks=[Representativeness()], budget_seconds=20)
    assert [f.id for f in findings] == ["representativeness:groups", "representativeness:combinations"]
    assert json.dumps([f.to_dict() for f in findings])


def test_missing_values_and_constant_columns(make_context):
    age = np.full(200, np.nan)
    age[:100] = np.arange(100)
    context = make_context({"k": ["x"] * 200}, {"age": age, "gone": np.full(200, np.nan), "one": np.ones(200)})
    assert {f.state for f in Representativeness().inspect(context)} <= {
        "no_problem_found", "look_at_this", "not_tested",
    }  # fmt: skip


def test_numbers_that_go_together_name_no_group(make_context):
    g = np.random.default_rng(0)
    x = g.normal(size=3000)
    numbers = {"radius": x, "perimeter": x + 0.1 * g.normal(size=3000)}
    found = {f.id: f for f in Representativeness().inspect(make_context({"city": ["a", "b"] * 1500}, numbers))}
    finding = found["representativeness:combinations"]
    assert finding.state == "no_problem_found"
    assert finding.evidence["thin_in_all"] > 0


def test_a_thin_group_is_told_with_the_rows_that_are_missing(make_context):
    words = {"sex": ["f"] * 985 + ["x"] * 15, "city": ["a", "b"] * 500}
    found = {f.id: f for f in Representativeness().inspect(make_context(words))}["representativeness:groups"]
    assert found.state == "look_at_this"
    assert found.evidence["short"] == [{"column": "sex", "group": "x", "rows": 15, "missing": 124}]
    assert "takes 139 rows of a group. For 'x' that is 124 more." in found.action[1]


def test_few_rows_do_not_make_each_quarter_of_a_number_a_thin_group(make_context):
    numbers = {"x": np.arange(60.0), "y": np.arange(60.0)[::-1]}
    found = {f.id: f for f in Representativeness().inspect(make_context({}, numbers))}
    assert found["representativeness:groups"].state == "no_problem_found"


@pytest.mark.parametrize(
    ("rate", "within", "expected"), [(0.9, 0.05, 139), (0.5, 0.05, 385), (0.9, 0.1, 35), (1.0, 0.05, 1)]
)
def test_rows_needed_by_the_normal_interval(rate, within, expected):
    assert rows_needed(rate, within=within) == expected


def test_rows_needed_hold_what_they_promise():
    """At that many rows the interval of a rate near 90 % is about as narrow as was asked for."""
    low, high = wilson(round(0.9 * 139), 139)
    assert (high - low) / 2 == pytest.approx(0.05, abs=0.003)


def test_rows_needed_for_no_rate_are_refused():
    for rate, within in ((1.2, 0.05), (0.5, 0.0), (0.5, 1.0)):
        with pytest.raises(SettingError):
            rows_needed(rate, within=within)


def test_every_check_of_the_audit_and_this_one_run():
    names = [check if isinstance(check, str) else check.name for check in every_check()]
    assert names[-1] == "representativeness"
    assert {"Duplicates", "Leaks"} <= set(names)
