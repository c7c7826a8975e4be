from __future__ import annotations

import json

import numpy as np
import pytest

from temperance import audit
from temperance.governance import Representativeness
from temperance.governance.representativeness import Attribute


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
    assert {f.state for f in Representativeness().inspect(context)} <= {"no_problem_found", "look_at_this"}
