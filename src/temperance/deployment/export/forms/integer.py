"""Products of 8-bit integers, by ONNX Runtime's quantizer: ranges of the inputs found row by row, or from real rows."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from temperance.deployment.export.forms.base import Feed, Form, no_weights, product_weights
from temperance.deployment.sketch import onnx_package
from temperance.records.errors import BundleError

PRODUCTS = ["MatMul", "Gemm"]
ROWS = 512  # rows that ranges are taken from
AT_ONCE = 64
LOOSE = 0.02  # one step of the 255 may turn either way on another machine


@dataclass(frozen=True)
class Dynamic(Form):
    """Weights are 8-bit integers; the range of each input of a product is found when it is computed.

    Convolutions stay as they are: in this form they are six to nine times slower (measured).
    """

    name: ClassVar[str] = "int8 dynamic"
    says: ClassVar[str] = "products of 8-bit integers, ranges found at each request"
    tolerance: ClassVar[float] = LOOSE

    def convert(self, model: Any, feed: Feed | None) -> Any:
        """Quantize.

        Raises:
            BundleError: nothing to quantize, or ONNX Runtime's quantizer fails; its reason is named.

        """
        from onnxruntime.quantization import QuantType, quantize_dynamic

        def run(source: Path, made: Path) -> None:
            # unsigned weights: signed ones overflow in pairs on processors without VNNI
            quantize_dynamic(
                source, made, weight_type=QuantType.QUInt8, op_types_to_quantize=PRODUCTS,
                extra_options={"MatMulConstBOnly": True},
            )  # fmt: skip

        return _quantized(model, run)


@dataclass(frozen=True)
class Static(Form):
    """Weights and the inputs of products are 8-bit integers; ranges come from real rows, once."""

    name: ClassVar[str] = "int8 static"
    says: ClassVar[str] = "products and convolutions of 8-bit integers, ranges taken from real rows"
    tolerance: ClassVar[float] = LOOSE

    def convert(self, model: Any, feed: Feed | None) -> Any:
        """Quantize.

        Raises:
            BundleError: no rows, nothing to quantize, or ONNX Runtime's quantizer fails; its reason is named.

        """
        if feed is None:
            raise BundleError("no rows to take ranges from", "rows like those that will be served", "Give --data FILE")
        from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

        def run(source: Path, made: Path) -> None:
            quantize_static(
                source, made, _Rows(feed), quant_format=QuantFormat.QDQ, op_types_to_quantize=[*PRODUCTS, "Conv"],
                activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, reduce_range=True, per_channel=False,
            )  # fmt: skip

        return _quantized(model, run)


class _Rows:
    """Rows in portions, as ONNX Runtime's calibration takes them."""

    def __init__(self, feed: Feed) -> None:
        count = min(ROWS, len(next(iter(feed.values()))))
        self._parts = iter(
            {name: array[i : i + AT_ONCE] for name, array in feed.items()} for i in range(0, count, AT_ONCE)
        )

    def get_next(self) -> Feed | None:
        return next(self._parts, None)

    def __iter__(self) -> Iterator[Feed]:
        return self._parts


def _quantized(model: Any, run: Callable[[Path, Path], None]) -> Any:
    """Fold constants, quantize in files of their own, and drop the operator sets that nothing uses."""
    if not any(True for _ in product_weights(model)):
        raise no_weights()
    onnx = onnx_package()
    with tempfile.TemporaryDirectory(prefix="temperance-export-") as scratch, _quiet():
        source, made = Path(scratch) / "folded.onnx", Path(scratch) / "made.onnx"
        try:
            source.write_bytes(folded(model))
            run(source, made)
            found = onnx.load(str(made))
        except Exception as error:  # the quantizer raises its own kinds
            reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise BundleError(f"ONNX Runtime cannot quantize the graph: {reason}", "", "Use another form") from error
    whole = {node.op_type for node in found.graph.node} & {"MatMulInteger", "QuantizeLinear", "DynamicQuantizeLinear"}
    if not whole:
        raise no_weights()
    return plain_opsets(found)


def folded(model: Any) -> bytes:
    """Return the graph as ONNX Runtime simplifies it, with standard operators alone.

    Raises:
        Exception: whatever ONNX Runtime raises.

    """
    import onnxruntime as ort

    with tempfile.TemporaryDirectory(prefix="temperance-export-") as scratch:
        path = Path(scratch) / "folded.onnx"
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(path)
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return plain_opsets(onnx_package().load(str(path))).SerializeToString()  # type: ignore[no-any-return]


def plain_opsets(model: Any) -> Any:
    """Drop operator sets that no node uses; a bundle refuses foreign ones."""
    used = {node.domain for node in model.graph.node}
    kept = [entry for entry in model.opset_import if entry.domain in ("", "ai.onnx") or entry.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    return model


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what the quantizer prints of its preprocessing."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
