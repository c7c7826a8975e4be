"""A small table of numbers as a file, the same with a category, and models of it in every form."""

from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from temperance.data import read

WEIGHT = np.array([[0.0, 2.0], [0.0, -1.0]], dtype=np.float32)  # logit of "yes" is 2 a − b


def lines(rows: int = 200, *, category: bool = False, regression: bool = False) -> str:
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, 2)).round(4)
    z = x @ WEIGHT[:, 1]
    words = random.choice(["red", "blue"], rows)
    answer = (z + random.normal(size=rows) * 0.1).round(4) if regression else np.where(
        random.random(rows) < 1 / (1 + np.exp(-z)), "yes", "no"
    )  # fmt: skip
    head = "a,b,c,y" if category else "a,b,y"
    middle = [f"{w}," if category else "" for w in words]
    return "\n".join([head, *(f"{p},{q},{w}{v}" for (p, q), w, v in zip(x, middle, answer, strict=True))]) + "\n"


def onnx_of(weight, *, softmax: bool = True, labels: bool = False) -> bytes:
    """Return a graph x → softmax(x W), perhaps with labels as a first output, as scikit-learn's converters write."""
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", weight.shape[0]])
    nodes = [helper.make_node("MatMul", ["x", "w"], ["z"])]
    last = "z"
    if softmax:
        nodes.append(helper.make_node("Softmax", ["z"], ["p"]))
        last = "p"
    outs = [helper.make_tensor_value_info(last, TensorProto.FLOAT, ["b", weight.shape[1]])]
    if labels:
        nodes.append(helper.make_node("ArgMax", ["z"], ["label"], axis=1, keepdims=0))
        outs.insert(0, helper.make_tensor_value_info("label", TensorProto.INT64, ["b"]))
    graph = helper.make_graph(nodes, "g", [given], outs, [numpy_helper.from_array(weight, "w")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10).SerializeToString()


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("opening")
    for name, settings in {"numbers": {}, "mixed": {"category": True}, "values": {"regression": True}}.items():
        (folder / f"{name}.csv").write_text(lines(**settings))
    return folder


@pytest.fixture(scope="session")
def tables(files):
    return SimpleNamespace(**{n: read(files / f"{n}.csv", target="y").table for n in ("numbers", "mixed", "values")})


@pytest.fixture(scope="session")
def true_chance(tables):
    """Probabilities of the law behind the numbers."""
    z = tables.numbers.rows.numeric @ WEIGHT[:, 1].astype(np.float64)
    return np.stack([1 / (1 + np.exp(z)), 1 / (1 + np.exp(-z))], axis=1)


@pytest.fixture(scope="session")
def graph():
    return onnx_of


assert onnx.__version__
