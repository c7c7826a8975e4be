"""Operators by NumPy, each against ONNX Runtime."""

import numpy as np
import pytest
from tests.deployment.export.program.test_operations import CASES, FLOAT, by_onnx

from temperance.deployment.plain.operations import OPS

MORE = [("Sigmoid", [FLOAT * 50], {}), ("Relu", [FLOAT], {}), ("Div", [np.array([7, -7]), np.array([2, 2])], {})]
SHOWN = [case for case in [*CASES, *MORE] if case[0] in OPS]


@pytest.mark.parametrize(("op", "inputs", "attributes"), SHOWN, ids=[f"{i}-{c[0]}" for i, c in enumerate(SHOWN)])
def test_numpy_does_what_onnx_runtime_does(op, inputs, attributes):
    inputs = [np.asarray(one) for one in inputs]
    if op == "Div":
        inputs = [np.abs(one) for one in inputs]
    expected, found = by_onnx(op, inputs, attributes), OPS[op](inputs, dict(attributes))
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    assert np.allclose(found, expected, atol=1e-5)


def test_a_sum_in_the_logarithm_of_nothing_but_minus_infinity():
    x = np.full((2, 3), -np.inf)
    with np.errstate(divide="ignore"):
        assert (OPS["ReduceLogSumExp"]([x, np.array([1])], {"keepdims": 0}) == -np.inf).all()


def test_a_slice_may_run_backwards():
    x = np.arange(5)
    found = OPS["Slice"]([x, np.array([-1]), np.array([-(2**62)]), np.array([0]), np.array([-1])], {})
    assert found.tolist() == [4, 3, 2, 1, 0]
