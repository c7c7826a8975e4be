"""Graphs by NumPy answer as they do by ONNX Runtime."""

import numpy as np
import pytest

from temperance.deployment.bundle import load
from temperance.deployment.export.forms import FORMS
from temperance.deployment.export.program.write import graph_of
from temperance.deployment.parity import stress_rows
from temperance.deployment.plain import PlainSession
from temperance.records.errors import BundleError


@pytest.mark.parametrize("name", ["net", "line"])
def test_answers_are_those_of_onnx_runtime(name, request):
    one = request.getfixturevalue(name)
    plain = load(one.bundle.folder, runtime=PlainSession)  # the golden rows are replayed as well
    for rows in (one.rows, one.rows.take(slice(0, 1)), stress_rows(one.rows, one.bundle.schema)):
        expected, found = one.bundle.predict(rows), plain.predict(rows)
        assert found.dtype == expected.dtype
        scale = max(1.0, float(np.abs(expected).max())) if expected.ndim == 1 else 1.0
        assert np.abs(found - expected).max() / scale < 1e-6


@pytest.mark.parametrize("form", ["int8 weights", "float16 weights", "bfloat16 weights"])
def test_weights_in_fewer_bits_are_widened_alike(net, form):
    from temperance.deployment.runtime import session

    data = FORMS[form].convert(graph_of(net.bundle), None).SerializeToString()
    feed = net.bundle.feed(net.rows)
    apart = PlainSession(data).run(["probabilities"], feed)[0] - session(data).run(["probabilities"], feed)[0]
    assert np.abs(apart).max() < 1e-6


def test_an_operator_without_a_rule_is_named(trees):
    with pytest.raises(BundleError, match="TreeEnsemble"):
        load(trees.bundle.folder, runtime=PlainSession)


def test_constants_are_computed_once_and_values_dropped_when_used(net):
    made = PlainSession((net.bundle.folder / "model.onnx").read_bytes())
    assert len(made._nodes) < len(graph_of(net.bundle).graph.node)
    first = made.run(["probabilities"], net.bundle.feed(net.rows))[0]
    assert np.array_equal(first, made.run(["probabilities"], net.bundle.feed(net.rows))[0])
