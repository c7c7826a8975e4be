import json

import numpy as np

from temperance.evaluation.insight import ROWS, insight
from temperance.evaluation.prediction import observe


def test_everything_is_found_and_is_json(binary, regression):
    for table, model in (binary, regression):
        index = np.arange(len(table))
        found = insight(model, table, index, observe(model, table, index))
        assert found.influence[0].columns in {("x0",), ("x1",)}
        assert len(found.effects) >= 2
        assert len(found.examples) == 3
        assert found.mistakes
        assert found.n == min(ROWS, len(table))
        assert found.left_out == ()
        json.dumps(found.to_dict(), allow_nan=False)


def test_without_time_the_table_of_mistakes_is_made_and_the_rest_is_named(binary):
    table, model = binary
    index = np.arange(1000)
    found = insight(model, table, index, observe(model, table), budget_seconds=0.0)
    assert found.mistakes["confusion"]
    assert found.influence == ()
    assert found.left_out == (("importance of columns", "no time left"),)


def test_it_keeps_to_its_time(binary):
    """A model that takes a millisecond a call, and a budget for a few of them."""
    table, model = binary
    index = np.arange(1000)
    seen = observe(model, table)
    clock = iter(np.arange(0, 100, 0.1))

    class Slow:
        schema = table.schema

        def predict(self, rows):
            next(clock)
            return model.predict(rows)

    found = insight(Slow(), table, index, seen, budget_seconds=1e-6)
    assert found.left_out[0][1] == "no time left"
    assert next(clock) <= 0.5


def test_images_have_mistakes_and_no_columns(pictures):
    table, model = pictures
    index = np.arange(300)
    found = insight(model, table, index, observe(model, table))
    assert found.mistakes["confusion"]
    assert found.left_out == (("importance of columns", "images have no columns"),)
