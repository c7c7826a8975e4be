"""Graphs read without the onnx package are those that onnx reads."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from temperance.deployment.plain.reader import read_graph, tensor
from temperance.records.errors import BundleError


@pytest.mark.parametrize("name", ["net", "trees", "line"])
def test_a_bundle_is_read_as_onnx_reads_it(name, request):
    path = request.getfixturevalue(name).bundle.folder / "model.onnx"
    found, known = read_graph(path.read_bytes()), onnx.load(str(path)).graph
    assert [node.op for node in found.nodes] == [node.op_type for node in known.node]
    assert [node.inputs for node in found.nodes] == [tuple(node.input) for node in known.node]
    assert [node.outputs for node in found.nodes] == [tuple(node.output) for node in known.node]
    assert list(found.inputs) == [entry.name for entry in known.input]
    assert list(found.outputs) == [entry.name for entry in known.output]
    for one in known.initializer:
        expected, read = numpy_helper.to_array(one), found.constants[one.name]
        assert read.shape == expected.shape
        if read.dtype == object:
            assert [w.decode() if isinstance(w, bytes) else w for w in expected.flat] == list(read.flat)
        else:
            assert np.array_equal(read, expected, equal_nan=expected.dtype.kind == "f")
    for node, real in zip(found.nodes, known.node, strict=True):
        for given in real.attribute:
            value, read = helper.get_attribute_value(given), node.attributes[given.name]
            if isinstance(value, onnx.TensorProto):
                assert np.array_equal(numpy_helper.to_array(value), read, equal_nan=True)
            elif isinstance(value, bytes):
                assert value.decode() == read
            elif hasattr(value, "__len__"):
                assert [v.decode() if isinstance(v, bytes) else v for v in value] == list(read)
            else:
                assert value == pytest.approx(read)


@pytest.mark.parametrize(
    "kind", [TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL]
)
def test_numbers_are_read_raw_and_typed(kind):
    values = [1, 0, 1, 1, 0, 1] if kind == TensorProto.BOOL else [1, -2, 3, 0, 5, -6]
    typed = helper.make_tensor("t", kind, [2, 3], values)
    raw = numpy_helper.from_array(numpy_helper.to_array(typed), "t")
    for one in (typed, raw):
        name, found = tensor(memoryview(one.SerializeToString()))
        assert name == "t"
        assert np.array_equal(found, numpy_helper.to_array(typed))


def test_bfloat16_becomes_float32():
    import ml_dtypes

    array = np.array([1.5, -2.25, 1e30], dtype=ml_dtypes.bfloat16)
    _, found = tensor(memoryview(numpy_helper.from_array(array, "t").SerializeToString()))
    assert found.dtype == np.float32
    assert found.tolist() == array.astype(np.float32).tolist()


def test_what_is_cut_or_no_graph_is_refused(net):
    data = (net.bundle.folder / "model.onnx").read_bytes()
    for part in (b"", b"no graph at all", data[: len(data) // 2]):
        with pytest.raises(BundleError, match="NumPy alone"):
            read_graph(part)
