import json

import numpy as np
import pytest

from temperance.evaluation.comparison import compare
from temperance.evaluation.harness import evaluate
from temperance.evaluation.robustness import merge, probe
from temperance.records.decision import Costs, Decision
from temperance.records.schema import Column, Rows, Schema, Target
from temperance.records.table import Table


def test_summary_follows_from_the_cells(binary):
    table, model = binary
    r = probe(model, table, seed=1, repeats=2)
    values = [c.measurement.value for c in r.cells]
    assert len(r.cells) == 20
    assert r.overall.value == pytest.approx(np.mean(values))
    assert r.overall.low < r.overall.value < r.overall.high
    assert r.overall.value == pytest.approx(1 - r.losses.mean())
    by_family = {d.name.rsplit("/", 1)[-1]: d.value for d in r.drops}
    noise = np.mean([c.measurement.value for c in r.cells if c.family == "noise"])
    assert by_family["noise"] == pytest.approx(r.clean.value - noise)
    assert r.worst_family == max(by_family, key=by_family.get)
    assert all(0 <= c.flipped <= 1 for c in r.cells)
    assert all(0.5 <= c.confidence <= 1 for c in r.cells)
    json.dumps(r.to_dict(), allow_nan=False)


def test_more_damage_hurts_more(binary):
    table, model = binary
    r = probe(model, table, names=["missing", "swap"], repeats=3)
    for family in ("missing", "swap"):
        values = [c.measurement.value for c in r.cells if c.family == family]
        assert values[0] > values[4] + 0.03
        flips = [c.flipped for c in r.cells if c.family == family]
        assert flips == sorted(flips)


def test_same_seed_same_result_and_all_models_meet_the_same_damage(binary):
    table, model = binary
    seen = []

    class Watch(type(model)):
        def predict(self, rows):
            seen.append(rows.numeric.copy())
            return super().predict(rows)

    watched = Watch(model.schema, model.function)
    first = probe(watched, table, np.arange(200), seed=5)
    half, seen[:] = list(seen), []
    second = probe(Watch(model.schema, lambda rows: np.full((rows.size, 2), 0.5)), table, np.arange(200), seed=5)
    assert len(half) == len(seen) == 21
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(half, seen, strict=True))
    assert np.array_equal(first.losses, probe(model, table, np.arange(200), seed=5).losses)
    assert not np.array_equal(first.losses, probe(model, table, np.arange(200), seed=6).losses)
    assert compare(first.losses, second.losses, metric="robustness").verdict == "better"


def test_rows_are_limited_and_the_choice_is_reproducible(binary):
    table, model = binary
    r = probe(model, table, limit=150, names=["noise"])
    assert len(r.rows) == len(r.losses) == 150
    assert np.array_equal(r.rows, probe(model, table, limit=150, names=["swap"]).rows)


def test_regression_never_goes_below_zero(regression):
    table, model = regression
    r = probe(model, table)
    values = [c.measurement.value for c in r.cells if c.family == "unit_error"]
    assert values[-1] == 0.0  # a thousandfold value is worse than guessing the mean, and counts as that
    assert 0 < r.overall.value < r.clean.value <= 1
    assert all(c.flipped is None for c in r.cells)


def test_a_prediction_that_is_not_finite_is_wrong(binary, regression):
    table, model = binary

    def fragile(rows):
        p = model.function(rows)
        p[np.isnan(rows.numeric).any(axis=1)] = np.nan
        return p

    r = probe(type(model)(model.schema, fragile), table, names=["missing"])
    assert r.cells[4].measurement.value < 0.1
    assert r.cells[4].flipped > 0.9
    numbers, line = regression

    def endless(rows):
        return np.where(np.isnan(rows.numeric).any(axis=1), np.inf, line.function(rows))

    broken = type(line)(line.schema, endless)
    assert probe(broken, numbers, names=["missing"]).cells[4].measurement.value == 0.0


def test_what_does_not_fit_is_left_out_by_name(binary):
    table, model = binary
    r = probe(model, table, budget_seconds=0.0, repeats=2)
    assert {c.family for c in r.cells} == {"noise"}
    assert [what for what, _ in r.left_out] == [
        "robustness: missing",
        "robustness: unit_error",
        "robustness: swap",
        "robustness: noise, draw 2 of 2",
        "robustness: missing, draw 2 of 2",
        "robustness: unit_error, draw 2 of 2",
        "robustness: swap, draw 2 of 2",
    ]
    assert r.overall.flags == tuple(f"left out: {name}" for name in ("missing", "unit_error", "swap"))


def test_pictures(pictures):
    table, model = pictures
    r = probe(model, table, basic=False, repeats=2)
    assert {c.family for c in r.cells} >= {"blur", "rotation", "jpeg"}
    assert 1.0 >= r.clean.value > r.overall.value > 0.5


def test_nothing_to_damage():
    from temperance.records.schema import Rows, Schema, Target
    from temperance.records.table import Table

    schema = Schema((), Target("y", "binary", ("a", "b")), "table")
    table = Table(schema, Rows(np.zeros((40, 0)), np.zeros((40, 0), np.int32)), np.arange(40) % 2)

    class Coin:
        def __init__(self):
            self.schema = schema

        def predict(self, rows):
            return np.full((rows.size, 2), 0.5)

    r = probe(Coin(), table, names=["noise"])
    assert r.overall.flags == ("nothing was damaged",)
    assert r.overall.value == r.clean.value
    assert r.worst_family is None


def test_parts_can_be_merged(binary):
    table, model = binary
    parts = [probe(model, table, np.arange(a, a + 500)) for a in (0, 500)]
    whole = merge(parts)
    assert whole.n == 1000
    assert whole.value == pytest.approx(np.mean([p.overall.value for p in parts]))
    assert whole.low < whole.value < whole.high


def test_answers_are_those_that_the_costs_choose(binary):
    table, model = binary
    costs = Costs(table.schema.target.classes, ((0.0, 1.0), (50.0, 0.0)))
    model.decision = Decision(costs)
    cheap = evaluate(model, table, metrics=["accuracy"])
    right = cheap["accuracy"].value
    model.decision = None
    assert right < evaluate(model, table, metrics=["accuracy"])["accuracy"].value - 0.05
    assert cheap.robustness.clean.value == pytest.approx(right)


def test_of_levels_the_middle_one_is_the_answer(binary):
    rng = np.random.default_rng(0)
    schema = Schema((Column("a", "numeric"),), Target("y", "multiclass", ("1", "2", "3"), ordered=True))
    rows = Rows(rng.normal(size=(60, 1)), np.zeros((60, 0), np.int32))
    table = Table(schema, rows, np.ones(60, dtype=np.int64))
    skewed = type(binary[1])(schema, lambda rows: np.tile([0.4, 0.25, 0.35], (rows.size, 1)))
    assert probe(skewed, table).clean.value == 1.0  # the most probable level would always be wrong
