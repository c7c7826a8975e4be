import numpy as np
import pytest

from temperance.deployment.base import log_mean, log_probabilities, model_graph, place
from temperance.deployment.bundle import session
from temperance.deployment.constant import Constant
from temperance.deployment.sketch import Sketch
from temperance.evaluation.calibration import Temperature
from temperance.records.errors import BundleError


def run(sketch, name, width, numeric):
    graph = sketch.finish({"out": (name, ["b", width])})
    entries = session(graph.SerializeToString())
    feed = {"numeric": numeric, "categorical": np.full((len(numeric), 2), "", dtype=object)}
    return entries.run(None, {e.name: feed[e.name] for e in entries.get_inputs()})[0]


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def test_the_calibrator_comes_last(binary):
    shares = np.array([0.2, 0.8])
    graph = model_graph(Constant(shares), Sketch(binary), binary.target, calibrator=Temperature(2.0))
    feed = {"numeric": np.zeros((1, 4)), "categorical": np.full((1, 2), "", dtype=object)}
    out = session(graph.SerializeToString()).run(None, feed)[0]
    assert out[0] == pytest.approx(shares**0.5 / (shares**0.5).sum(), abs=1e-15)


def test_log_probabilities_of_logits_members_and_one_score(binary):
    x = np.array([[1.0, -2.0, 0.5, 900.0], [0.0, 3.0, -700.0, 1.0]])
    sketch = Sketch(binary)
    logs = log_probabilities(sketch, "numeric", rank=2, width=4, classes=4)
    assert np.allclose(np.exp(run(sketch, logs, 4, x)), softmax(x), atol=1e-15)
    sketch = Sketch(binary)
    folded = sketch.add("Reshape", "numeric", sketch.constant([-1, 2, 2]))
    logs = log_probabilities(sketch, folded, rank=3, width=2, classes=2)
    assert np.allclose(np.exp(run(sketch, logs, 2, x)), softmax(x.reshape(2, 2, 2)).mean(1), atol=1e-15)
    sketch = Sketch(binary)
    first = sketch.add("Gather", "numeric", sketch.constant(0), axis=1)
    logs = log_probabilities(sketch, first, rank=1, width=1, classes=2)
    assert np.allclose(np.exp(run(sketch, logs, 2, x))[:, 1], 1 / (1 + np.exp(-x[:, 0])))


def test_a_wrong_count_of_outputs_is_refused(binary):
    with pytest.raises(BundleError, match="4 outputs"):
        log_probabilities(Sketch(binary), "numeric", rank=2, width=4, classes=3)


def test_place_puts_shares_on_their_classes_with_a_floor(binary):
    shares = np.array([[0.1, 0.2, 0.3, 0.4]])
    sketch = Sketch(binary)
    logs = place(sketch, sketch.add("Log", "numeric"), classes=(0, 2, 3, 5), outputs=6, floor=1e-6)
    full = np.array([0.1, 1e-6, 0.2, 0.3, 1e-6, 0.4])
    assert np.exp(run(sketch, logs, 6, shares))[0] == pytest.approx(full / full.sum(), abs=1e-15)


def test_log_mean_weighs_members(binary):
    x = np.log([[0.1, 0.9, 0.6, 0.4]])
    sketch = Sketch(binary)
    folded = sketch.add("Reshape", "numeric", sketch.constant([-1, 2, 2]))
    out = np.exp(run(sketch, log_mean(sketch, folded, np.array([0.25, 0.75])), 2, x))
    assert out[0] == pytest.approx([0.475, 0.525], abs=1e-15)
