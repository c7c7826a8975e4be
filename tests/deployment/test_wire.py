from contextlib import suppress

import numpy as np
import onnx
import pytest
from onnx import helper

from temperance.deployment.base import model_graph
from temperance.deployment.constant import Constant
from temperance.deployment.sketch import Sketch
from temperance.deployment.wire import check_graph
from temperance.records.errors import BundleError


@pytest.fixture
def graph(binary):
    return model_graph(Constant(np.array([0.5, 0.5])), Sketch(binary), binary.target)


def outside(name="w"):
    tensor = onnx.numpy_helper.from_array(np.zeros(3, np.float32), name)
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../etc/passwd"
    return tensor


def test_our_own_graph_passes(graph):
    check_graph(graph.SerializeToString())
    assert graph.graph.node


def test_weights_in_other_files_are_found_wherever_they_hide(graph):
    spots = []
    for _ in range(4):
        copy = onnx.ModelProto()
        copy.CopyFrom(graph)
        spots.append(copy)
    spots[0].graph.initializer.append(outside())
    spots[1].graph.node.append(helper.make_node("Constant", [], ["k"], value=outside()))
    inner = helper.make_graph([], "inner", [], [], [outside()])
    spots[2].graph.node.append(helper.make_node("If", ["c"], ["o"], then_branch=inner, else_branch=inner))
    spots[3].graph.sparse_initializer.add().values.CopyFrom(outside())
    for spot in spots:
        with pytest.raises(BundleError, match="another file"):
            check_graph(spot.SerializeToString())


def test_custom_operators_are_refused(graph):
    graph.opset_import.append(helper.make_opsetid("evil.ops", 1))
    with pytest.raises(BundleError, match=r"evil\.ops"):
        check_graph(graph.SerializeToString())


def test_noise_and_every_cut_are_refused_without_a_crash(graph):
    data = graph.SerializeToString()
    for end in range(0, len(data), 7):
        with suppress(BundleError):  # a cut between two fields reads as a shorter graph; the checksum finds those
            check_graph(data[:end])
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(200):
        try:
            check_graph(random.bytes(200))
        except BundleError:
            refused += 1
    assert refused == 200
    for data in (b"", b"\x80" * 100, b"\x3a\xff\xff\xff\xff\x0f"):
        with pytest.raises(BundleError, match=r"graph|readable"):
            check_graph(data)
