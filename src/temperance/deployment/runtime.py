"""ONNX Runtime, as bundles use it."""

from __future__ import annotations

from typing import Any

from temperance.deployment.manifest import REMEDY
from temperance.records.errors import BundleError, MissingExtra


def session(data: bytes) -> Any:
    """Start ONNX Runtime on a graph: one thread, no arena (memory stays flat when batch sizes vary).

    Raises:
        BundleError: ONNX Runtime refuses the graph.
        MissingExtra: ONNX Runtime is not installed.

    """
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise MissingExtra(
            "bundles need the package onnxruntime", "it comes with Temperance", "pip install onnxruntime"
        ) from error
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises its own kinds
        reason = str(error).splitlines()[0][:300]
        raise BundleError(f"ONNX Runtime refuses the graph: {reason}", "", REMEDY) from error
