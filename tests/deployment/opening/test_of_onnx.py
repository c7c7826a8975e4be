import numpy as np
import pytest

from temperance.deployment.opening.of_onnx import open_onnx, outputs_said
from temperance.records.errors import BundleError, DataError

W = np.array([[0.0, 2.0], [0.0, -1.0]], dtype=np.float32)


@pytest.mark.parametrize("form", [{}, {"softmax": False}, {"labels": True}])
def test_probabilities_logits_and_labels_first(tables, true_chance, graph, tmp_path, form) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(graph(W, **form))
    subject = open_onnx(path, tables.numbers.schema)
    assert subject.predict(tables.numbers.rows) == pytest.approx(true_chance, abs=1e-5)
    assert ("logits" if form.get("softmax") is False else "probabilities") in outputs_said(subject.predictor)[0]
    assert subject.has("gradients")
    assert subject.has("rows")


def test_values(tables, graph, tmp_path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(graph(W[:, 1:], softmax=False))
    subject = open_onnx(path, tables.values.schema)
    assert np.corrcoef(subject.predict(tables.values.rows), tables.values.target)[0, 1] > 0.99


def test_what_does_not_fit_is_named(tables, graph, tmp_path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(graph(np.ones((3, 2), np.float32)))
    with pytest.raises(BundleError, match="takes 3 inputs"):
        open_onnx(path, tables.numbers.schema).predict(tables.numbers.rows)
    path.write_bytes(graph(W))
    with pytest.raises(DataError, match="no numbers: c"):
        open_onnx(path, tables.mixed.schema).predict(tables.mixed.rows)
    path.write_bytes(graph(np.ones((2, 5), np.float32)))
    with pytest.raises(DataError, match="outputs of shape"):
        open_onnx(path, tables.numbers.schema).predict(tables.numbers.rows)


@pytest.mark.parametrize("cut", [0, 1, 20, 60])
def test_damaged_files_end_in_the_packages_own_error(tables, graph, tmp_path, cut) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(graph(W)[:cut])
    with pytest.raises(BundleError, match=r"m\.onnx|ONNX Runtime"):
        open_onnx(path, tables.numbers.schema)
