import numpy as np
import pytest
import torch

from temperance.deployment.opening.of_onnx import open_onnx
from temperance.deployment.opening.onnx_in_torch import open_in_torch
from temperance.deployment.torch_graph.network import as_inputs
from temperance.records.errors import BundleError

W = np.array([[0.0, 2.0], [0.0, -1.0]], dtype=np.float32)


@pytest.mark.parametrize("form", [{}, {"softmax": False}, {"labels": True}])
def test_gradients_of_a_foreign_graph(tables, graph, tmp_path, form) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(graph(W, **form))
    subject = open_onnx(path, tables.numbers.schema)
    rows = tables.numbers.rows.take(slice(0, 6))
    subject.predict(rows)
    assert subject.why_not("gradients") == ""
    inputs = as_inputs(rows)
    numeric = inputs.numeric.requires_grad_()
    scores = subject.network.scores(inputs._replace(numeric=numeric))
    (slope,) = torch.autograd.grad((scores[:, 1] - scores[:, 0]).sum(), numeric)
    assert slope.numpy() == pytest.approx(np.tile([2.0, -1.0], (6, 1)))
    assert subject.network.features(inputs).shape == (6, 2)


def test_before_the_first_answer_and_where_torch_differs(tables, graph, tmp_path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(graph(W))
    early = open_onnx(path, tables.numbers.schema)
    assert "not asked for predictions" in early.why_not("gradients")
    subject = open_onnx(path, tables.numbers.schema)
    rows = tables.numbers.rows.take(slice(0, 6))
    subject.predict(rows)
    with pytest.raises(BundleError, match="answers other than"):
        open_in_torch(graph(-W), subject.predictor, output="p", scale="probabilities", rows=rows)


def test_the_graph_of_a_bundle_by_itself(shipped, linear, binary) -> None:
    subject = open_onnx(shipped / "model.onnx", binary)
    subject.predict(linear.rows.take(slice(0, 20)))
    assert subject.why_not("gradients") == ""
