"""Weights in fewer bits: sizes, errors that are bounded by the step, the same answers elsewhere."""

import numpy as np
import pytest

from temperance.deployment.export.forms import FORMS, StoredFloat
from temperance.deployment.export.forms.stored import STEPS, rounded, shared_axes
from temperance.deployment.export.program.write import graph_of
from temperance.deployment.sketch import onnx_package
from temperance.deployment.write import Exported
from temperance.records.errors import BundleError


@pytest.mark.parametrize(("name", "share", "most"), [
    ("float16 weights", 0.6, 2e-3), ("bfloat16 weights", 0.6, 2e-2), ("int8 weights", 0.36, 3e-2),
])  # fmt: skip
def test_the_file_shrinks_and_answers_stay_near(net, name, share, most):
    model = graph_of(net.bundle)
    data = FORMS[name].convert(model, None).SerializeToString()
    assert len(data) < share * model.ByteSize()
    made = Exported(net.bundle.schema, data, ())
    apart = np.abs(made.predict(net.rows) - net.bundle.predict(net.rows)).max()
    assert 0 < apart < most


@pytest.mark.parametrize("shape", [(40, 8), (8, 40), (3, 40, 5), (6, 3, 3, 3), (50,)])
def test_no_number_moves_by_more_than_half_a_step(shape):
    array = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    axes = shared_axes(array)
    whole, scale = rounded(array, axes)
    assert whole.dtype == np.int8
    assert (np.abs(whole * scale - array) <= 0.5001 * scale).all()
    largest = np.abs(array).max(axis=axes, keepdims=True)
    assert np.allclose(scale, largest / STEPS)


def test_scales_run_along_the_longer_axis():
    assert shared_axes(np.zeros((64, 4))) == (-2,)
    assert shared_axes(np.zeros((4, 64))) == (-1,)
    assert shared_axes(np.zeros((2, 3, 5, 5))) == (1, 2, 3)


def test_an_array_of_zeros_has_no_scale_of_zero():
    whole, scale = rounded(np.zeros((4, 4)), (-1,))
    assert not whole.any()
    assert (scale == 1).all()


def test_weights_beyond_float16_are_refused(net):
    onnx, model = onnx_package(), graph_of(net.bundle)
    tensor = next(t for t in model.graph.initializer if len(t.dims) == 3)
    array = onnx.numpy_helper.to_array(tensor).copy()
    array.flat[0] = 1e6
    tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
    with pytest.raises(BundleError, match="float16"):
        StoredFloat("float16").convert(model, None)
    assert StoredFloat("bfloat16").convert(model, None).graph.node[0].op_type == "Cast"
