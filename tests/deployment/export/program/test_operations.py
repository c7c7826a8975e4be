"""Operators that the whole graphs of test_graph.py do not show."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from temperance.deployment.export.program.operations import OPS, Call
from temperance.deployment.runtime import session
from temperance.records.errors import BundleError

FLOAT = np.random.default_rng(0).normal(size=(3, 4, 6, 6)).astype(np.float32)


def by_onnx(op, inputs, attributes):
    names = [f"i{i}" for i in range(len(inputs))]
    kinds = [helper.np_dtype_to_tensor_dtype(a.dtype) for a in inputs]
    infos = [helper.make_tensor_value_info(n, k, a.shape) for n, k, a in zip(names, kinds, inputs, strict=True)]
    node = helper.make_node(op, names, ["out"], **attributes)
    out = helper.make_tensor_value_info("out", TensorProto.UNDEFINED, None)
    out = helper.make_empty_tensor_value_info("out")
    graph = helper.make_graph([node], "g", infos, [out])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    model = onnx.shape_inference.infer_shapes(model)
    return session(model.SerializeToString()).run(None, dict(zip(names, inputs, strict=True)))[0]


ONES = np.ones(4, np.float32)
CASES = [
    ("Softplus", [FLOAT * 30], {}),
    ("Gelu", [FLOAT], {}),
    ("LeakyRelu", [FLOAT], {"alpha": 0.2}),
    ("Elu", [FLOAT], {"alpha": 1.5}),
    ("Clip", [FLOAT, np.float32(-0.5), np.float32(0.5)], {}),
    ("Max", [FLOAT, -FLOAT, FLOAT * 0], {}),
    ("Gemm", [FLOAT[0, 0], FLOAT[1, 0], FLOAT[2, 0, 0]], {"alpha": 2.0, "beta": 0.5, "transB": 1}),
    ("Conv", [FLOAT, FLOAT[:2, :, :3, :3], np.ones(2, np.float32)], {"pads": [1, 1, 1, 1], "strides": [2, 2]}),
    ("MaxPool", [FLOAT], {"kernel_shape": [2, 2], "strides": [2, 2]}),
    ("AveragePool", [FLOAT], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
    ("GlobalAveragePool", [FLOAT], {}),
    ("BatchNormalization", [FLOAT, ONES * 2, ONES, ONES * 0.1, ONES * 3], {"epsilon": 1e-3}),
    ("LayerNormalization", [FLOAT, np.ones(6, np.float32), np.ones(6, np.float32)], {"axis": -1}),
    ("Softmax", [FLOAT], {"axis": 1}),
    ("LogSoftmax", [FLOAT], {"axis": -1}),
    ("ReduceSum", [FLOAT, np.array([1, 2])], {"keepdims": 0}),
    ("ReduceMean", [FLOAT], {}),
    ("ReduceLogSumExp", [FLOAT, np.array([1])], {"keepdims": 0}),
    ("Transpose", [FLOAT], {"perm": [0, 2, 3, 1]}),
    ("Unsqueeze", [FLOAT, np.array([0, -1])], {}),
    ("Squeeze", [FLOAT[:1], np.array([0])], {}),
    ("Reshape", [FLOAT, np.array([0, -1])], {}),
    ("Expand", [FLOAT[:, :1, :1], np.array([1, 4, 5, 6])], {}),
    ("Concat", [FLOAT, FLOAT], {"axis": 1}),
    ("Slice", [FLOAT, np.array([1]), np.array([2**62]), np.array([2]), np.array([2])], {}),
    ("Slice", [FLOAT, np.array([-3]), np.array([-1]), np.array([3])], {}),
    ("Gather", [FLOAT, np.array([[0, -1], [1, 2]])], {"axis": 1}),
    ("Gather", [FLOAT, np.array(2)], {"axis": 3}),
    ("GatherElements", [FLOAT, np.zeros((3, 1, 6, 6), np.int64)], {"axis": 1}),
    ("Round", [FLOAT * 3], {}),
]  # fmt: skip


@pytest.mark.parametrize(("op", "inputs", "attributes"), CASES, ids=[f"{i}-{c[0]}" for i, c in enumerate(CASES)])
def test_torch_does_what_onnx_runtime_does(op, inputs, attributes):
    inputs = [np.asarray(one) for one in inputs]
    expected = by_onnx(op, inputs, attributes)
    values = [torch.from_numpy(one.copy()) for one in inputs]
    found = OPS[op](Call(op, attributes, values, [one if one.dtype.kind == "i" else None for one in inputs]))
    assert found.shape == expected.shape
    assert np.allclose(found.numpy(), expected, atol=1e-5)


def test_a_split_gives_all_parts():
    parts = OPS["Split"](Call("Split", {"axis": 1}, [torch.from_numpy(FLOAT), None], [None, np.array([1, 3])]))
    assert [part.shape[1] for part in parts] == [1, 3]


def test_sizes_pass_as_numbers():
    shape = OPS["Shape"](Call("Shape", {"start": 0, "end": 1}, [torch.zeros(5, 2)], [None]))
    assert shape == (5,)
    joined = OPS["Concat"](Call("Concat", {"axis": 0}, [shape, torch.tensor([7])], [None, np.array([7])]))
    assert joined == (5, 7)
    assert OPS["Mul"](Call("Mul", {}, [shape, torch.tensor([2])], [None, np.array([2])])) == (10,)


def test_what_cannot_be_done_is_said():
    with pytest.raises(BundleError, match="uneven padding"):
        OPS["Conv"](
            Call("Conv", {"pads": [0, 0, 1, 1]}, [torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 2, 2)], [None] * 2)
        )
    numbers = [np.array([n]) for n in (-1, -9, 0, -1)]
    with pytest.raises(BundleError, match="backwards"):
        OPS["Slice"](Call("Slice", {}, [torch.zeros(3), *map(torch.from_numpy, numbers)], [None, *numbers]))
    with pytest.raises(BundleError, match="sizes from the rows"):
        OPS["Reshape"](Call("Reshape", {}, [torch.zeros(3), torch.tensor([3])], [None, None]))
