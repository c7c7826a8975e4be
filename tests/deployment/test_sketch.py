import numpy as np
import pytest

from temperance.deployment.base import model_graph
from temperance.deployment.bundle import session
from temperance.deployment.constant import Constant
from temperance.deployment.sketch import WEIGHT, Sketch, fill
from temperance.records.errors import BundleError


def graph_of(schema, values):
    return model_graph(Constant(np.asarray(values)), Sketch(schema), schema.target)


def run(graph, rows=2):
    feed = {"numeric": np.zeros((rows, 4)), "categorical": np.full((rows, 2), "red", dtype=object)}
    graph_session = session(graph.SerializeToString())
    return graph_session.run(None, {entry.name: feed[entry.name] for entry in graph_session.get_inputs()})[0]


def test_fill_puts_new_weights_into_a_copy(regression):
    graph = graph_of(regression, [3.0])
    filled = fill(graph, {"values": np.array([7.0])})
    assert run(graph).tolist() == [3.0, 3.0]
    assert run(filled).tolist() == [7.0, 7.0]
    assert [t.name for t in graph.graph.initializer if t.name.startswith(WEIGHT)] == [f"{WEIGHT}values"]


def test_fill_names_the_missing_weight_and_the_wrong_shape(regression):
    graph = graph_of(regression, [3.0])
    with pytest.raises(BundleError, match="'values'"):
        fill(graph, {"other": np.array([1.0])})
    with pytest.raises(BundleError, match=r"shape \(2,\)"):
        fill(graph, {"values": np.array([1.0, 2.0])})


def test_equal_constants_are_stored_once_and_undo_drops_what_was_added(binary):
    sketch = Sketch(binary)
    assert sketch.constant([1, 2]) == sketch.constant(np.array([1, 2]))
    assert sketch.constant(1.0) != sketch.constant(1)
    mark = sketch.mark()
    sketch.weight("w", np.ones(3))
    sketch.undo(mark)
    assert sketch.weight("w", np.ones(3)) == f"{WEIGHT}w"


def test_two_weights_of_one_name_are_refused(binary):
    sketch = Sketch(binary)
    sketch.weight("w", np.ones(3))
    with pytest.raises(BundleError, match="both named"):
        sketch.weight("w", np.ones(3))


def test_an_invalid_graph_is_refused(binary):
    sketch = Sketch(binary)
    with pytest.raises(BundleError, match="not valid"):
        sketch.finish({"probabilities": (sketch.add("Softmax", "numeric", "nowhere"), ["b", 2])})
