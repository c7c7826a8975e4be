from __future__ import annotations

import numpy as np
import pytest

from temperance.audit.leaks import AFTER_THE_EVENT, Leaks, one_to_one


def plant(table, column, make_table, *, name="planted", regression=False):
    X = np.concatenate([table.rows.numeric, np.asarray(column, dtype=float)[:, None]], axis=1)
    names = [c.name for c in table.schema.numeric] + [name]
    return make_table(X, table.target, names=names, regression=regression)


@pytest.mark.parametrize("name", ["breast_cancer", pytest.param("digits", marks=pytest.mark.slow), "wine"])
@pytest.mark.parametrize(("wrong", "level"), [(0.0, "fix_before_use"), (0.02, None), (0.05, None)])
def test_asks_about_a_planted_answer(name, wrong, level, bundled, make_table, make_context):
    table = bundled(name)
    g = np.random.default_rng(5)
    y = table.target.copy()
    hit = g.random(len(y)) < wrong
    y[hit] = g.integers(y.max() + 1, size=int(hit.sum()))
    found = {f.id: f for f in Leaks().inspect(make_context(plant(table, y * 3.0 + 1, make_table)))}
    assert "leaks:planted" in found
    assert found["leaks:planted"].state in ("fix_before_use", "look_at_this")
    if level:
        assert found["leaks:planted"].state == level
        assert "alone gives the answer away" in found["leaks:planted"].title


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_asks_about_a_planted_number(noise, bundled, make_table, make_context):
    table = bundled("diabetes")
    g = np.random.default_rng(5)
    column = 2 * table.target + np.sqrt(noise) * 2 * table.target.std() * g.standard_normal(len(table))
    ids = [f.id for f in Leaks().inspect(make_context(plant(table, column, make_table, regression=True)))]
    assert ids == ["leaks:planted"]


@pytest.mark.parametrize("name", ["breast_cancer", "iris", "wine", "digits", "synthetic", "diabetes"])
def test_clean_sets_are_never_almost_certain_and_rarely_asked(name, bundled, make_context):
    findings = Leaks().inspect(make_context(bundled(name)))
    assert not any(f.state == "fix_before_use" for f in findings)
    assert sum(f.state == "look_at_this" for f in findings) <= 2
    assert findings[0].confidence["found"] >= 2
    assert findings[0].confidence["false_alarms"] == 0


def test_a_text_column_that_names_the_answer(make_table, make_context):
    g = np.random.default_rng(0)
    y = g.integers(2, size=300)
    words = {"verdict": np.where(y == 1, "yes", "no").tolist(), "colour": g.choice(["r", "g"], 300).tolist()}
    findings = Leaks().inspect(make_context(make_table(g.random((300, 2)), y, words=words)))
    assert [f.id for f in findings] == ["leaks:verdict"]
    assert findings[0].state == "fix_before_use"
    assert any("known at the moment" in step for step in findings[0].action)


def test_many_columns_are_asked_about_together(make_table, make_context):
    g = np.random.default_rng(0)
    y = g.integers(2, size=300)
    X = np.stack([y + 0.01 * g.standard_normal(300) for _ in range(8)], axis=1)
    findings = Leaks().inspect(make_context(make_table(X, y)))
    assert len(findings) == 6
    assert findings[-1].id == "leaks:others"
    assert len(findings[-1].evidence["columns"]) == 3


def test_missing_values_can_be_the_leak(make_table, make_context):
    g = np.random.default_rng(0)
    y = g.integers(2, size=400)
    column = np.where(y == 1, g.random(400), np.nan)
    findings = Leaks().inspect(make_context(make_table(np.stack([column, g.random(400)], axis=1), y)))
    assert [f.id for f in findings] == ["leaks:x0"]


def test_one_to_one():
    assert one_to_one(np.array([5.0, 5.0, 7.0]), np.array([1, 1, 0]))
    assert not one_to_one(np.array([5.0, 7.0, 7.0]), np.array([1, 1, 0]))
    assert not one_to_one(np.array([5.0, 6.0, 7.0]), np.array([1, 1, 0]))


@pytest.mark.parametrize("name", ["duration", "discharge_date", "final_status", "alive"])
def test_names_that_speak_of_the_time_after(name):
    assert AFTER_THE_EVENT.search(name)


@pytest.mark.parametrize("name", ["age", "endurance", "income", "leftover_area"])
def test_other_names_do_not(name):
    assert not AFTER_THE_EVENT.search(name)


@pytest.mark.shared_data
def test_titanic_alive_is_almost_certain(shared_table, make_context):
    found = {f.id: f.state for f in Leaks().inspect(make_context(shared_table("titanic", "survived")))}
    assert found["leaks:alive"] == "fix_before_use"
    assert len(found) <= 3


@pytest.mark.shared_data
def test_bank_marketing_duration_is_asked_about(shared_table, make_context):
    found = {f.id: f for f in Leaks().inspect(make_context(shared_table("bank_marketing", "y")))}
    assert set(found) == {"leaks:duration"}
