"""Each operator against ONNX Runtime on the same inputs, and whole bundles with their gradients."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from temperance.deployment import load
from temperance.deployment.basic import basic_part
from temperance.deployment.opening.of_bundle import open_bundle
from temperance.deployment.torch_graph.graph import Graph
from temperance.deployment.torch_graph.network import GraphNetwork, as_inputs, open_network
from temperance.deployment.write import write_bundle
from temperance.evaluation.aspects.base import Inputs
from temperance.records.errors import BundleError

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(3, 4)).astype(np.float32)
P = (np.abs(X) + 0.1).astype(np.float32)
IMAGE = RANDOM.normal(size=(2, 3, 6, 6)).astype(np.float32)
I64 = np.int64


def f32(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def ints(*values):
    return np.array(values, dtype=I64)


CASES = {
    **{name: (name, [X], [], {}) for name in ("Abs", "Ceil", "Cos", "Exp", "Floor", "Identity", "IsNaN", "Neg", "Relu",
       "Round", "Sigmoid", "Sign", "Sin", "Softplus", "Softsign", "Tanh", "Erf", "Elu", "Celu", "LeakyRelu", "Selu",
       "Gelu", "HardSigmoid", "HardSwish", "Mish", "Softmax", "LogSoftmax", "Flatten", "Shape")},
    **{name: (name, [P], [], {}) for name in ("Log", "Sqrt", "Reciprocal")},
    **{name: (name, [X], [P], {}) for name in ("Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean", "Less",
       "LessOrEqual", "Greater", "GreaterOrEqual", "Equal")},
    "Pow": ("Pow", [P], [np.float32(2)], {}),
    "Mod": ("Mod", [ints(5, -5, 7)], [ints(3, 3, -4)], {}),
    "Fmod": ("Mod", [X], [P], {"fmod": 1}),
    "whole Div": ("Div", [ints(7, -7, 9)], [ints(2, 2, 4)], {}),
    "Not": ("Not", [X > 0], [], {}),
    "And": ("And", [X > 0], [X < 1], {}),
    "Or": ("Or", [X > 0], [X < -1], {}),
    "Xor": ("Xor", [X > 0], [X < 1], {}),
    "PRelu": ("PRelu", [X], [np.float32([0.1, 0.2, 0.3, 0.4])], {}),
    "Clip": ("Clip", [X], [np.float32(-0.5), np.float32(0.5)], {}),
    "Where": ("Where", [X > 0], [X, P], {}),
    "Cast": ("Cast", [X], [], {"to": TensorProto.DOUBLE}),
    "Gelu tanh": ("Gelu", [X], [], {"approximate": "tanh"}),
    "Reshape": ("Reshape", [X], [ints(2, -1)], {}),
    "Reshape 0": ("Reshape", [X], [ints(0, 2, 2)], {}),
    "Transpose": ("Transpose", [X], [], {"perm": [1, 0]}),
    "Unsqueeze": ("Unsqueeze", [X], [ints(0, -1)], {}),
    "Squeeze": ("Squeeze", [X[None]], [ints(0)], {}),
    "Slice": ("Slice", [X], [ints(0, 1), ints(2, 9223372036854775807), ints(0, 1), ints(1, 2)], {}),
    "Slice back": ("Slice", [X], [ints(-1), ints(-9223372036854775807), ints(1), ints(-1)], {}),
    "Expand": ("Expand", [X[:, :1]], [ints(3, 4)], {}),
    "Tile": ("Tile", [X], [ints(2, 1)], {}),
    "Gather": ("Gather", [X], [ints(2, -1)], {"axis": 1}),
    "GatherElements": ("GatherElements", [X], [np.array([[0, -1], [1, 2], [3, 0]])], {"axis": 1}),
    "GatherND": ("GatherND", [X], [np.array([[0, 1], [2, 3]])], {}),
    "Concat": ("Concat", [X], [P], {"axis": 1}),
    "Pad": ("Pad", [X], [ints(0, 1, 2, 0), np.float32(7)], {}),
    "Pad reflect": ("Pad", [IMAGE], [ints(0, 0, 1, 1, 0, 0, 2, 1)], {"mode": "reflect"}),
    "Range": ("Range", [np.int64(1)], [np.int64(7), np.int64(2)], {}),
    "CumSum": ("CumSum", [X], [np.int64(1)], {}),
    "ArgMax": ("ArgMax", [X], [], {"axis": 1}),
    **{f"{name} axes": (name, [X], [ints(1)], {"keepdims": 0}) for name in ("ReduceSum", "ReduceMean", "ReduceMax",
       "ReduceMin", "ReduceLogSumExp", "ReduceL1", "ReduceL2", "ReduceSumSquare")},
    "ReduceMean all": ("ReduceMean", [X], [], {}),
    "MatMul": ("MatMul", [X], [f32(4, 2)], {}),
    "Gemm": ("Gemm", [X], [f32(2, 4), f32(2)], {"transB": 1, "alpha": 0.5, "beta": 2.0}),
    "Conv": ("Conv", [IMAGE], [f32(4, 3, 3, 3), f32(4)], {"pads": [1, 0, 1, 2], "strides": [2, 1]}),
    "Conv groups": ("Conv", [IMAGE], [f32(3, 1, 3, 3)], {"group": 3, "dilations": [2, 2]}),
    "Conv same": ("Conv", [IMAGE], [f32(2, 3, 2, 2)], {"auto_pad": "SAME_UPPER"}),
    "ConvTranspose": ("ConvTranspose", [IMAGE], [f32(3, 2, 3, 3)], {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
    "MaxPool": ("MaxPool", [IMAGE], [], {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [1, 1, 0, 0]}),
    "AveragePool": ("AveragePool", [IMAGE], [], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
    "AveragePool pads": ("AveragePool", [IMAGE], [],
                         {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
    "GlobalAveragePool": ("GlobalAveragePool", [IMAGE], [], {}),
    "GlobalMaxPool": ("GlobalMaxPool", [IMAGE], [], {}),
    "BatchNormalization": ("BatchNormalization", [IMAGE], [f32(3), f32(3), f32(3), np.abs(f32(3)) + 0.5], {}),
    "InstanceNormalization": ("InstanceNormalization", [IMAGE], [f32(3), f32(3)], {}),
    "LayerNormalization": ("LayerNormalization", [X], [f32(4), f32(4)], {"axis": -1}),
    "Einsum": ("Einsum", [X], [f32(4, 2)], {"equation": "bf,fc->bc"}),
}  # fmt: skip


def model_of(kind, given, constants, attributes, domain=""):
    names = [f"in{i}" for i in range(len(given))], [f"c{i}" for i in range(len(constants))]
    to = helper.np_dtype_to_tensor_dtype
    inputs = [
        helper.make_tensor_value_info(n, to(np.asarray(v).dtype), np.shape(v))
        for n, v in zip(names[0], given, strict=True)
    ]
    weights = [numpy_helper.from_array(np.asarray(v), n) for n, v in zip(names[1], constants, strict=True)]
    node = helper.make_node(kind, [*names[0], *names[1]], ["out"], domain=domain, **attributes)
    out = helper.make_tensor_value_info("out", TensorProto.UNDEFINED, None)
    graph = helper.make_graph([node], "one", inputs, [out], weights)
    imports = [helper.make_opsetid("", 20), helper.make_opsetid("ai.onnx.ml", 5)]
    return onnx.shape_inference.infer_shapes(helper.make_model(graph, opset_imports=imports, ir_version=10))


@pytest.mark.parametrize("case", CASES)
def test_an_operator_gives_what_onnx_runtime_gives(case) -> None:
    kind, given, constants, attributes = CASES[case]
    data = model_of(kind, given, constants, attributes).SerializeToString()
    feed = {f"in{i}": np.asarray(v) for i, v in enumerate(given)}
    expected = ort.InferenceSession(data, providers=["CPUExecutionProvider"]).run(None, feed)[0]
    found = Graph.read(data).run({k: torch.from_numpy(np.array(v)) for k, v in feed.items()}, ("out",))["out"]
    assert found.numpy().dtype == expected.dtype
    np.testing.assert_allclose(found.numpy(), expected, rtol=2e-5, atol=2e-6)


def test_features_of_members_side_by_side_belong_to_their_rows() -> None:
    """Inputs (k, b, d), weights (k, d, c) that are scaled first, as a mixture of banks has them."""
    given = np.tile(np.arange(15, dtype=np.float32).reshape(1, 5, 3), (2, 1, 1))
    steps = [
        ("Unsqueeze", ["numeric", "zero"], "one"), ("Expand", ["one", "size"], "wide"),
        ("Mul", ["weight:w", "half"], "scaled"), ("MatMul", ["wide", "scaled"], "out"),
    ]  # fmt: skip
    arrays = {"weight:w": np.ones((2, 3, 4)), "half": np.float64(0.5), "zero": ints(0), "size": ints(2, 1, 1)}
    graph = helper.make_graph(
        [helper.make_node(kind, names, [out]) for kind, names, out in steps], "members",
        [helper.make_tensor_value_info("numeric", TensorProto.DOUBLE, ["b", 3])],
        [helper.make_tensor_value_info("out", TensorProto.DOUBLE, [2, "b", 4])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in arrays.items()],
    )  # fmt: skip
    read = Graph.read(helper.make_model(graph).SerializeToString())
    assert read.last_linear() == ("wide", True)
    rows = Inputs(torch.from_numpy(given[0].astype(np.float64)), torch.zeros(5, 0, dtype=torch.int64))
    found = GraphNetwork(read, None, "out").features(rows)
    assert found.shape == (5, 6)
    assert found[2].tolist() == [6, 7, 8, 6, 7, 8]


def test_trees_and_strangers_are_named() -> None:
    trees = model_of("TreeEnsembleRegressor", [X], [], {}, domain="ai.onnx.ml")
    with pytest.raises(BundleError, match="made of trees"):
        Graph.read(trees.SerializeToString())
    with pytest.raises(BundleError, match="Hardmax"):
        Graph.read(model_of("Hardmax", [X], [], {}).SerializeToString())


def test_a_bundle_has_gradients_by_its_raw_numbers(shipped) -> None:
    subject = open_bundle(shipped)
    assert subject.why_not("gradients") == ""
    network, rows = subject.network, probe_rows(subject.schema)
    inputs = as_inputs(rows)
    numeric = inputs.numeric.clone().requires_grad_()
    scores = network.scores(inputs._replace(numeric=numeric))
    gap = (scores[:, 1] - scores[:, 0]).sum()
    (slope,) = torch.autograd.grad(gap, numeric)
    assert torch.isfinite(slope).all()
    step = 1e-3
    moved = rows._replace(numeric=rows.numeric + step * np.eye(4)[0])
    with torch.no_grad():
        after = network.scores(as_inputs(moved))
    plain = ((after[:, 1] - after[:, 0]) - (scores[:, 1] - scores[:, 0])).detach().numpy() / step
    np.testing.assert_allclose(slope[:, 0].numpy(), plain, rtol=0.02, atol=1e-3)
    features = network.features(inputs)
    again = network.features(as_inputs(rows.take(slice(2, 5))))
    assert features is not None
    assert features.shape[0] == rows.size
    torch.testing.assert_close(again, features[2:5])


def probe_rows(schema):
    from temperance.records.schema import Rows

    generator = np.random.default_rng(3)
    numeric = generator.normal(size=(8, 4))
    return Rows(numeric, generator.integers(-2, 2, size=(8, 2)).astype(np.int32))


def test_another_model_in_torch_is_refused(shipped) -> None:
    bundle = load(shipped)

    class Other:
        schema = bundle.schema

        def predict(self, rows):
            return bundle.predict(rows)[:, ::-1]

    data = (shipped / "model.onnx").read_bytes()
    with pytest.raises(BundleError, match="differs from the one that is served"):
        open_network(data, bundle.schema, predictor=Other(), probe=probe_rows(bundle.schema))


def test_a_model_that_does_not_depend_on_numbers_has_no_gradient(kit, binary, tmp_path) -> None:
    fitted = kit.Fitted("majority", binary)
    write_bundle(
        tmp_path / "b", part=basic_part(fitted.fitted, binary), schema=binary, predictor=fitted, rows=fitted.rows
    )
    assert "do not depend on numbers" in open_bundle(tmp_path / "b").why_not("gradients")


def test_logits_stand_before_the_softmax() -> None:
    graph = Graph.read(model_of("Softmax", [X], [], {}).SerializeToString())
    assert graph.before("out", ("Softmax",)) == "in0"
    assert graph.before("out", ("Relu",)) == "out"
    assert graph.last_linear() is None
    network = GraphNetwork(graph, None, "in0")
    assert network.output == "in0"
