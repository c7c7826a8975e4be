from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from temperance.audit.context import Context
from temperance.audit.duplicates import Duplicates
from temperance.records.schema import Rows


def with_copies(table, roles, change, count=20, seed=0):
    """Overwrite ``count`` test rows by changed copies of training rows."""
    g = np.random.default_rng(seed)
    numeric = table.rows.numeric.copy()
    hit, source = g.choice(roles.test, count, replace=False), g.choice(roles.train, count, replace=False)
    numeric[hit] = change(numeric[source], g)
    return replace(table, rows=Rows(numeric, table.rows.categorical)), set(hit.tolist())


def exact(rows, g):
    return rows


def noisy(rows, g):
    return rows + 0.01 * rows.std(axis=0) * g.standard_normal(rows.shape)


def edited(rows, g):
    out = rows.copy()
    columns = g.integers(rows.shape[1], size=len(rows))
    out[np.arange(len(rows)), columns] = rows[::-1][np.arange(len(rows)), columns]
    return out


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "digits", "synthetic"])
@pytest.mark.parametrize(("change", "recall"), [(exact, 1.0), (noisy, 1.0), (edited, 0.95)])
def test_finds_planted_copies(name, change, recall, bundled, make_roles):
    table = bundled(name)
    roles = make_roles(len(table))
    table, planted = with_copies(table, roles, change)
    finding = Duplicates().inspect(Context(table, roles))[0]
    found = set(finding.evidence["rows"])
    assert len(found & planted) >= recall * len(planted)
    assert len(found - planted) <= max(1, 0.005 * len(roles.test))
    assert finding.state == "fix_before_use"
    assert str(len(found)) in finding.title


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "digits", "synthetic", "diabetes"])
def test_clean_sets_have_no_copies(name, bundled, make_context):
    finding = Duplicates().inspect(make_context(bundled(name)))[0]
    assert finding.state == "no_problem_found"
    assert finding.evidence["k"] == 0
    assert finding.confidence["found"] >= 0.95 * finding.confidence["planted"]


def test_rule_for_one_edited_value_is_off_where_rows_are_alike_by_nature(bundled, make_context):
    finding = Duplicates().inspect(make_context(bundled("iris")))[0]
    assert "is off" in finding.confidence["self_test"]


def test_repeats_by_nature_are_said_to_be_natural(make_table, make_context):
    g = np.random.default_rng(0)
    table = make_table(g.integers(3, size=(600, 4)), g.integers(2, size=600))
    finding = Duplicates().inspect(make_context(table))[0]
    assert finding.evidence["k"] > 100
    assert "natural" in finding.title
    inside = Duplicates().inspect(make_context(table))[1]
    assert inside.state == "look_at_this"


def test_effect_after_leaving_copies_out_is_that_of_fresh_rows(make_table):
    g = np.random.default_rng(0)
    X, y = g.standard_normal((1500, 8)), g.integers(2, size=1500)  # nothing to learn: honest accuracy is one half
    table = make_table(X, y)
    train, test = np.arange(1000), np.arange(1000, 1500)
    numeric, target = table.rows.numeric.copy(), table.target.copy()
    numeric[1000:1200], target[1000:1200] = numeric[:200], target[:200]
    table = replace(table, rows=Rows(numeric, table.rows.categorical), target=target)
    from temperance.records.roles import Roles

    e = np.empty(0, dtype=np.int64)
    finding = Duplicates().inspect(Context(table, Roles(train, e, e, e, test)))[0]
    assert finding.effect["low"] <= 0.5 <= finding.effect["high"]
    assert finding.effect["before"] > 0.6
    assert "Without" in finding.title or "without" in finding.title


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1, 0.3])
@pytest.mark.parametrize("kind", ["noise", "three values"])
def test_near_copies_of_any_share_of_the_rows_are_found(share, kind, make_table, make_roles):
    """A tenth of all rows switched the rule off: its natural rate was counted on rows among which the copies were."""
    g = np.random.default_rng(4)
    X, y = g.standard_normal((1000, 12)), g.integers(2, size=1000)
    source = g.permutation(1000)[: round(share * 1000)]
    copy = X[source]
    if kind == "noise":
        copy = copy + 0.01 * g.standard_normal(copy.shape)
    else:
        for row in copy:
            row[g.permutation(12)[:3]] = g.standard_normal(3)
    table = make_table(np.concatenate([X, copy]), np.concatenate([y, y[source]]))
    roles = make_roles(len(table), seed=2)
    origin = np.concatenate([np.arange(1000), source])
    alike = {int(row) for row in roles.test if origin[row] in set(origin[roles.train])}
    finding = Duplicates().inspect(Context(table, roles))[0]
    assert len(set(finding.evidence["rows"]) & alike) >= 0.9 * len(alike)
    assert not set(finding.evidence["rows"]) - alike
    assert len(alike) >= 3


def test_categories_and_gaps_take_part(make_table):
    g = np.random.default_rng(0)
    words = {f"w{j}": [f"v{v}" for v in g.integers(20, size=400)] for j in range(6)}
    X = g.standard_normal((400, 2))
    X[g.random(X.shape) < 0.1] = np.nan
    table = make_table(X, g.integers(2, size=400), words=words)
    rows = table.rows
    numeric, categorical = rows.numeric.copy(), rows.categorical.copy()
    numeric[300:320], categorical[300:320] = numeric[:20], categorical[:20]
    categorical[310:320, 0] = (categorical[310:320, 0] + 1) % 20
    table = replace(table, rows=Rows(numeric, categorical))
    from temperance.records.roles import Roles

    e = np.empty(0, dtype=np.int64)
    finding = Duplicates().inspect(Context(table, Roles(np.arange(300), e, e, e, np.arange(300, 400))))[0]
    assert set(finding.evidence["rows"]) == set(range(300, 320))
    assert finding.evidence["exact"] == 10


def test_separate_test_table(bundled, make_roles):
    table = bundled("wine")
    test = table.take(np.arange(0, 178, 3))
    roles = replace(make_roles(len(table)), test=np.arange(len(test)), test_is_separate=True)
    finding = Duplicates().inspect(Context(table, roles, test))[0]
    assert finding.evidence["k"] == len(test)
    assert finding.state == "fix_before_use"


def test_without_test_rows_it_says_so(bundled, make_roles):
    table = bundled("wine")
    finding = Duplicates().inspect(Context(table, make_roles(len(table), test=0)))[0]
    assert finding.state == "not_tested"


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "target"), [("kc1", "defects"), ("letter", "target")])
def test_known_duplicates_of_real_sets(name, target, shared_table, make_context):
    across, inside = Duplicates().inspect(make_context(shared_table(name, target)))
    assert across.state in ("look_at_this", "fix_before_use")
    assert across.evidence["exact"] > 50
    assert inside.state == "look_at_this"
    assert across.effect["before"] > across.effect["after"]


@pytest.mark.parametrize(
    ("turned", "words"), [(0, "looks better"), (20, "looks worse"), (10, "is not what it will be")]
)
def test_copies_with_another_answer_are_not_said_to_flatter(turned, words, bundled, make_roles):
    table = bundled("breast_cancer")
    roles = make_roles(len(table))
    numeric, target = table.rows.numeric.copy(), table.target.copy()
    hit, source = roles.test[:20], roles.train[:20]
    numeric[hit], target[hit] = numeric[source], target[source]
    target[hit[:turned]] = 1 - target[hit[:turned]]
    changed = replace(table, rows=Rows(numeric, table.rows.categorical), target=target)
    finding = Duplicates().inspect(Context(changed, roles))[0]
    assert words in finding.why
    assert finding.evidence["other_answers"] == turned
    assert ("another answer" in finding.title) == (turned > 0)
