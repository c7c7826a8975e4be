"""Products of integers, by ONNX Runtime's quantizer."""

import numpy as np
import pytest

from temperance.deployment.export.forms import FORMS
from temperance.deployment.export.forms.integer import folded, plain_opsets
from temperance.deployment.export.program.write import graph_of
from temperance.deployment.sketch import onnx_package
from temperance.deployment.wire import check_graph
from temperance.deployment.write import Exported
from temperance.records.errors import BundleError


def test_dynamic_products_are_integers_and_answers_stay_near(net):
    model = graph_of(net.bundle)
    data = FORMS["int8 dynamic"].convert(model, None).SerializeToString()
    check_graph(data)  # standard operators alone
    assert len(data) < 0.6 * model.ByteSize()
    made = onnx_package().load_model_from_string(data)
    assert "MatMulInteger" in {node.op_type for node in made.graph.node}
    answers = Exported(net.bundle.schema, data, ()).predict(net.rows)
    assert np.abs(answers - net.bundle.predict(net.rows)).max() < 0.2


def test_static_ranges_come_from_rows(net):
    model = graph_of(net.bundle)
    with pytest.raises(BundleError, match="--data"):
        FORMS["int8 static"].convert(model, None)
    data = FORMS["int8 static"].convert(model, net.bundle.feed(net.rows)).SerializeToString()
    check_graph(data)
    made = onnx_package().load_model_from_string(data)
    assert "QuantizeLinear" in {node.op_type for node in made.graph.node}


def test_folding_keeps_the_answers(net):
    data = folded(graph_of(net.bundle))
    made = Exported(net.bundle.schema, data, ())
    assert np.abs(made.predict(net.rows) - net.bundle.predict(net.rows)).max() < 1e-6


def test_unused_operator_sets_are_dropped(net):
    model = graph_of(net.bundle)
    model.opset_import.add(domain="com.microsoft", version=1)
    assert {entry.domain for entry in plain_opsets(model).opset_import} <= {"", "ai.onnx.ml"}
