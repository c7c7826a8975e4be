"""Products in float16, for devices that compute them faster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from temperance.deployment.export.forms.base import Feed, Form, copied, no_weights, product_weights
from temperance.deployment.sketch import onnx_package
from temperance.records.errors import BundleError

TAKEN = {"MatMul": 2, "Gemm": 3, "Conv": 3}  # inputs that are turned


@dataclass(frozen=True)
class Half(Form):
    """Products and convolutions of float32 take and give float16; all else, scaling and softmax too, stays wide.

    A processor without float16 computes them in float32 from rounded numbers, so the answers can be judged there; the
    speed cannot.
    """

    name: ClassVar[str] = "float16 products"
    says: ClassVar[str] = "products and convolutions in float16, the rest as before"
    tolerance: ClassVar[float] = 5e-3

    def convert(self, model: Any, feed: Feed | None) -> Any:
        """Turn the products.

        Raises:
            BundleError: there are none, or a weight is too large for float16.

        """
        onnx = onnx_package()
        made = copied(model)
        weights = {
            tensor.name: tensor for tensor in product_weights(made) if tensor.data_type == onnx.TensorProto.FLOAT
        }
        if not weights:
            raise no_weights()
        floats = _float32(onnx, made)
        nodes: list[Any] = []
        for node in made.graph.node:
            count = TAKEN.get(node.op_type, 0)
            if not count or not all(name in floats for name in node.input):
                nodes.append(node)
                continue
            turned = copied(node)
            for i, name in enumerate(node.input[:count]):
                turned.input[i] = f"{node.output[0]}:in{i}"
                nodes.append(onnx.helper.make_node("Cast", [name], [turned.input[i]], to=onnx.TensorProto.FLOAT16))
            turned.output[0] = f"{node.output[0]}:half"
            nodes += [turned, onnx.helper.make_node("Cast", [turned.output[0]], [node.output[0]], to=1)]
        del made.graph.node[:]
        made.graph.node.extend(nodes)
        firsts = []
        for name, tensor in weights.items():
            array = onnx.numpy_helper.to_array(tensor)
            if np.abs(array).max() > np.finfo(np.float16).max:
                raise BundleError("a weight is larger than float16 can hold", "at most 65504", "Leave it as it is")
            tensor.CopyFrom(onnx.numpy_helper.from_array(array.astype(np.float16), f"{name}:float16"))
            firsts.append(onnx.helper.make_node("Cast", [f"{name}:float16"], [name], to=onnx.TensorProto.FLOAT))
        rest = list(made.graph.node)
        del made.graph.node[:]
        made.graph.node.extend([*firsts, *rest])
        return made


def _float32(onnx: Any, model: Any) -> set[str]:
    """Return the names of all values of type float32, as onnx infers them."""
    inferred = onnx.shape_inference.infer_shapes(model)
    known = {entry.name for entry in inferred.graph.value_info if entry.type.tensor_type.elem_type == 1}
    return known | {tensor.name for tensor in model.graph.initializer if tensor.data_type == 1}
