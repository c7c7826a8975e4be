import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from temperance.evaluation.schema.constrained import attack, margins
from temperance.evaluation.schema.rules import ColumnRule, Rules, Sum
from temperance.evaluation.schema.space import Budget, Space
from temperance.records.errors import SettingError
from temperance.records.schema import Column, Rows, Schema, Target

ROWS = 100


def plain(x, o, new, old, rules, schema, budget):
    """Return whether one row keeps all rules, written row by row without the package."""
    names, at = [c.name for c in schema.numeric], {c.name: j for j, c in enumerate(schema.numeric)}
    grouped = {name for group in rules.one_of for name in group}
    for j, name in enumerate(names):
        rule = rules.columns[name]
        fine = rule.low <= x[j] <= rule.high and (not rule.integer or float(x[j]).is_integer())
        fine &= {"free": True, "fixed": x[j] == o[j], "up": x[j] >= o[j], "down": x[j] <= o[j]}[rule.change]
        if budget.scales is not None and name not in grouped:
            fine &= abs(x[j] - o[j]) <= budget.scales * rule.scale * (1 + 1e-6) + 1e-9
        if not fine:
            return False
    for a, b in rules.at_most:
        if x[at[a]] > x[at[b]] + 1e-5 * max(1, abs(x[at[b]])):
            return False
    for one in rules.sums:
        if abs(sum(x[at[p]] for p in one.parts) - x[at[one.total]]) > 1e-5 * max(1, abs(x[at[one.total]])):
            return False
    for group in rules.one_of:
        if sorted(x[at[name]] for name in group) != [0.0] * (len(group) - 1) + [1.0]:
            return False
    for j, column in enumerate(schema.categorical):
        rule = rules.columns[column.name]
        if new[j] != old[j] and (
            rule.change == "fixed" or (rule.values and column.vocabulary[new[j]] not in rule.values)
        ):
            return False
    groups = [[at[n] for n in g] for g in rules.one_of]
    alone = [j for j, name in enumerate(names) if name not in grouped]
    count = sum(x[j] != o[j] for j in alone) + sum(any(x[j] != o[j] for j in g) for g in groups) + (new != old).sum()
    if budget.columns is not None and count > budget.columns:
        return False
    cost = sum(abs(x[j] - o[j]) * rules.columns[names[j]].price for j in range(len(names)))
    cost += sum(rules.columns[c.name].price_of_change for j, c in enumerate(schema.categorical) if new[j] != old[j])
    return budget.cost is None or cost <= budget.cost * (1 + 1e-6) + 1e-9


@st.composite
def problems(draw):
    """Return rules, a schema, rows that keep them, a budget and a seed."""
    seed = draw(st.integers(0, 10**6))
    g = np.random.default_rng(seed)
    change = st.sampled_from(["free", "fixed", "up", "down"])
    rule = lambda whole: ColumnRule(  # noqa: E731
        -50.0,
        50.0,
        draw(change),
        whole,
        draw(st.sampled_from([0.3, 1.0, 7.0])),
        draw(st.sampled_from([None, 0.0, 0.4])),
    )
    whole = [draw(st.booleans()) for _ in range(5)]
    part = whole[2]
    columns = {f"x{j}": rule(whole[j]) for j in range(4)}
    columns["total"] = ColumnRule(-100.0, 100.0, draw(change), part, 1.0)
    values = g.uniform(-20, 20, (ROWS, 4))
    values = np.where(np.array([*whole[:2], part, part]), np.rint(values), values)
    columns["x3"] = ColumnRule(**{**vars(columns["x3"]), "integer": part})
    low, high = np.sort(values[:, :2], axis=1).T
    if whole[0] != whole[1]:
        low, high = np.floor(low), np.ceil(high)
    x = np.column_stack([low, high, values[:, 2], values[:, 3], values[:, 2] + values[:, 3]])
    groups = ()
    if draw(st.booleans()):
        x = np.column_stack([x, np.eye(3)[g.integers(0, 3, ROWS)]])
        group_change = draw(st.sampled_from(["free", "fixed"]))
        columns |= {f"is{k}": ColumnRule(0.0, 1.0, group_change, True) for k in range(3)}
        groups = (("is0", "is1", "is2"),)
    words = ("a", "b", "c", "d")
    columns["word"] = ColumnRule(
        change=draw(st.sampled_from(["free", "fixed"])), values=draw(st.sampled_from([(), ("a", "c")]))
    )
    rules = Rules(
        columns, (("x0", "x1"),) if draw(st.booleans()) else (),
        (Sum(("x2", "x3"), "total"),) if draw(st.booleans()) else (), (), groups,
    )  # fmt: skip
    kinds = [Column(name, "numeric", name) for name in columns if name != "word"]
    schema = Schema((*kinds, Column("word", "categorical", "word", "", words)), Target("y", "binary", ("n", "p")))
    codes = g.integers(0, 4, (ROWS, 1)).astype(np.int32)
    budget = draw(
        st.builds(Budget, scales=st.sampled_from([0.1, 1.0, 5.0]))
        | st.builds(Budget, columns=st.integers(0, 4))
        | st.builds(Budget, cost=st.sampled_from([0.0, 0.5, 3.0]))
        | st.builds(Budget, scales=st.just(2.0), columns=st.integers(1, 2), cost=st.just(2.0), categories=st.booleans())
    )
    return rules, schema, Rows(x, codes), budget, seed


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems())
def test_ten_thousand_attacks_make_no_invalid_row(problem):
    rules, schema, rows, budget, seed = problem
    g = np.random.default_rng(seed)
    weight, lift = g.normal(size=rows.numeric.shape[1]), g.normal(size=6)
    ask = lambda r: np.stack(  # noqa: E731
        [np.zeros(r.size), r.numeric @ weight + 5 * lift[r.categorical[:, 0]]], axis=1
    )
    y = ask(rows).argmax(axis=1)
    space = Space(rules, schema)
    found = attack(ask, rows, y, space, budget, tier="quick", seed=seed)
    assert found.attacked.all()  # the rows are made to keep the rules
    for i in range(ROWS):
        assert plain(
            found.rows.numeric[i],
            rows.numeric[i],
            found.rows.categorical[i],
            rows.categorical[i],
            space.rules,
            schema,
            budget,
        )
    broken = found.right & ~found.survived
    assert (ask(found.rows).argmax(axis=1) != y)[broken].all()
    assert (found.survived <= found.right).all()


def test_it_finds_what_chance_does_not_and_spares_rows_that_break_the_rules(loans, rules, ask):
    rows = loans.rows._replace(numeric=loans.rows.numeric.copy())
    rows.numeric[:5, 0] = 17  # below the bound
    y = ask(rows).argmax(axis=1)
    space = Space(rules, loans.schema)
    found = attack(ask, rows, y, space, Budget(scales=0.3), seed=1)
    assert found.survived[:5].all()
    assert "5 rows break the rules as they are" in found.notes[0]
    assert found.survived.mean() < found.by_chance.mean() < 1
    assert space.valid(rows, found.rows, Budget(scales=0.3))[5:].all()
    again = attack(ask, rows, y, space, Budget(scales=0.3), seed=1)
    assert np.array_equal(found.rows.numeric, again.rows.numeric)
    json.dumps(found.to_dict(), allow_nan=False)


def test_on_a_linear_model_the_answer_is_exact():
    g = np.random.default_rng(3)
    x, weight = g.normal(size=(200, 5)), np.array([1.0, -2.0, 0.5, 0.0, 3.0])
    schema = Schema(tuple(Column(f"x{j}", "numeric", f"x{j}") for j in range(5)), Target("y", "binary", ("a", "b")))
    rows = Rows(x, np.zeros((200, 0), np.int32))
    ask = lambda r: np.stack([np.zeros(r.size), r.numeric @ weight], axis=1)  # noqa: E731
    slope = lambda r, y: np.where(y[:, None] == 1, -weight, weight) * np.ones((r.size, 1))  # noqa: E731
    space = Space(Rules({f"x{j}": ColumnRule(change="fixed" if j == 4 else "free") for j in range(5)}), schema)
    y = ask(rows).argmax(axis=1)
    reach = 0.25 * np.abs(weight[:4]).sum()
    for ways in ({"slope": slope}, {}, {"estimate": False}):
        found = attack(ask, rows, y, space, Budget(scales=0.25), **ways)
        truth = np.abs(x @ weight) > reach
        assert (found.survived & ~truth).sum() <= (0 if "estimate" not in ways else 6)
        assert not (~found.survived & truth).any()
    assert "no slopes" in found.notes[0]


def test_categories_are_tried_and_margins_know_what_is_not_finite(loans, rules, ask):
    y = ask(loans.rows).argmax(axis=1)
    space = Space(Rules({"city": rules.columns["city"]}), loans.schema)
    found = attack(ask, loans.rows, y, space, Budget(columns=1))
    broken = found.right & ~found.survived
    moved = (found.rows.categorical != loans.rows.categorical).any(axis=1)
    assert (moved & broken).any()
    assert (found.changed[broken] == 1).all()
    scores = np.array([[1.0, 3.0, 2.0], [np.nan, 0.0, 0.0]])
    assert margins(scores, np.array([1, 0])).tolist() == [-1.0, np.inf]


def test_what_is_refused(loans, rules, ask):
    space = Space(rules, loans.schema)
    with pytest.raises(SettingError, match="Did you mean 'quick'"):
        attack(ask, loans.rows, loans.target, space, Budget(scales=1.0), tier="quic")
    with pytest.raises(SettingError, match="no rows"):
        attack(ask, loans.rows.take(slice(0, 0)), loans.target[:0], space, Budget(scales=1.0))
