import numpy as np
import pytest

from temperance.evaluation.effects import effect, leading, told_class
from temperance.evaluation.influence import Asked
from temperance.records.schema import Column, Rows, Schema, Target
from temperance.records.table import Table


def linear(weights, *, correlated=False, n=400):
    """A linear model of values; ``correlated``: the second column is nearly the first."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(n, len(weights)))
    if correlated:
        x[:, 1] = x[:, 0] + 0.01 * x[:, 1]
    schema = Schema(tuple(Column(f"x{j}", "numeric", f"x{j}") for j in range(len(weights))), Target("y", "regression"))

    class Model:
        def __init__(self):
            self.schema = schema

        def predict(self, rows):
            return rows.numeric @ np.array(weights)

    table = Table(schema, Rows(x, np.zeros((n, 0), np.int32)), x @ np.array(weights))
    return Asked(Model(), table, np.arange(n)), schema


@pytest.mark.parametrize("correlated", [False, True])
def test_a_linear_law_gives_its_own_slope(correlated):
    """Accumulated local effects tell the weight of the column itself, also where another goes with it."""
    asked, schema = linear([2.0, -3.0], correlated=correlated)
    found = effect(asked, schema, schema.columns[0])
    at, value = (np.array([p[k] for p in found.points]) for k in ("at", "value"))
    np.testing.assert_allclose(np.diff(value) / np.diff(at), 2.0, rtol=1e-9)
    assert found.answer == ""
    assert all(p["low"] <= p["value"] <= p["high"] for p in found.points)


def test_the_mean_over_rows_is_about_the_mean_answer():
    asked, schema = linear([2.0, 1.0])
    values = [p["value"] for p in effect(asked, schema, schema.columns[0]).points]
    assert min(values) < asked.before.mean() < max(values)


def test_categories_tell_the_mean_answer_with_all_rows_set_to_each(binary):
    table, _ = binary
    chance = np.array([0.2, 0.5, 0.9])

    class Model:
        schema = table.schema

        def predict(self, rows):
            p = chance[rows.categorical[:, 0]]
            return np.stack([1 - p, p], axis=1)

    found = effect(Asked(Model(), table, np.arange(1000)), table.schema, table.schema.categorical[0])
    assert {p["at"]: p["value"] for p in found.points} == pytest.approx({"Bonn": 0.2, "Kiel": 0.5, "Ulm": 0.9})
    assert found.answer == "yes"


def test_the_leading_column_of_a_group_goes_most_with_the_answer(binary):
    table, model = binary
    asked = Asked(model, table, np.arange(1000))
    assert leading(asked, table.schema, ("x3", "x1", "city")).name == "x1"
    assert leading(asked, table.schema, ("city",)).name == "city"
    assert told_class(asked) == 1


def test_a_column_with_one_value_or_none_has_no_effect(binary):
    table, model = binary
    x = table.rows.numeric.copy()
    x[:, 2], x[:, 3] = 7.0, np.nan
    changed = Table(table.schema, table.rows._replace(numeric=x), table.target)
    asked = Asked(model, changed, np.arange(1000))
    assert effect(asked, table.schema, table.schema.numeric[2]) is None
    assert effect(asked, table.schema, table.schema.numeric[3]) is None
