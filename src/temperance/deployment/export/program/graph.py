"""An ONNX graph of a bundle as a ``torch.nn.Module``: numbers, category codes or pixels in, answers out."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from temperance.deployment.export.program.operations import OPS, Call
from temperance.deployment.sketch import onnx_package
from temperance.records.errors import BundleError
from temperance.records.schema import Schema

MOST_STATIC = 4096  # integers of a constant that are kept as sizes


class GraphModule(nn.Module):
    """Computes a graph with torch; weights and constants are buffers.

    Words are not known to torch: categories come as their places in the column's vocabulary, −1 missing, −2 any other
    word, and the graph's look-ups of words become tables.

    Shapes: numeric (b, n) float64 · categorical (b, m) int64 · image (b, h, w, c) uint8 → probabilities (b, c) or
    values (b,), float64.

    Raises:
        BundleError: an operator that has no counterpart; it is named.

    """

    def __init__(self, model: Any, schema: Schema) -> None:
        super().__init__()
        onnx = onnx_package()
        self.takes = [entry.name for entry in model.graph.input]
        self.gives = model.graph.output[0].name
        self._static: dict[str, NDArray[Any]] = {}
        self._names: dict[str, str] = {}
        words = {}
        for tensor in model.graph.initializer:
            array = onnx.numpy_helper.to_array(tensor)
            if array.dtype == object:
                words[tensor.name] = array
                continue
            self._keep(tensor.name, array)
        self._steps: list[tuple[str, dict[str, Any], list[str], list[str]]] = []
        joined: dict[str, NDArray[Any]] = {}
        for node in model.graph.node:
            given = {a.name: plain(onnx.helper.get_attribute_value(a)) for a in node.attribute}
            inputs, outputs = list(node.input), list(node.output)
            if node.op_type == "StringConcat" and inputs[0] in words and inputs[1] == "categorical":
                joined[outputs[0]] = words[inputs[0]]
                continue
            if node.op_type == "LabelEncoder" and inputs[0] in joined:
                self._keep(f"{outputs[0]}:table", word_table(schema, joined[inputs[0]], given))
                self._steps.append(("", {}, [f"{outputs[0]}:table"], outputs))
                continue
            if node.op_type not in OPS:
                raise BundleError(
                    f"the graph holds the operator {node.op_type}, which has no form in a torch program",
                    "nets and linear models; trees stay in ONNX", "Use --target onnx",
                )  # fmt: skip
            self._steps.append((node.op_type, given, inputs, outputs))

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the answers; inputs in the order of ``takes``."""
        values: dict[str, Any] = dict(zip(self.takes, inputs, strict=True))
        for op, given, names, outputs in self._steps:
            if not op:
                table = getattr(self, self._names[names[0]])
                codes = values["categorical"]
                columns = torch.arange(table.shape[0]).expand(codes.shape)
                values[outputs[0]] = table[columns, torch.where(codes < 0, codes + table.shape[1], codes)]
                continue
            found = [None if not name else self._value(name, values) for name in names]
            static = [self._static.get(name) for name in names]
            made = OPS[op](Call(op, given, found, static))
            if isinstance(made, list):
                values.update(zip(outputs, made, strict=True))
            else:
                values[outputs[0]] = made
        answer: Tensor = values[self.gives]
        return answer

    def _value(self, name: str, values: dict[str, Any]) -> Any:
        return values[name] if name in values else getattr(self, self._names[name])

    def _keep(self, name: str, array: NDArray[Any]) -> None:
        if array.dtype.kind in "iu" and array.size <= MOST_STATIC:
            self._static[name] = array
        tensor = torch.from_numpy(np.array(array)) if array.dtype.kind in "iufb" else _narrow(array)
        self._names[name] = f"c{len(self._names)}"
        self.register_buffer(self._names[name], tensor)


def word_table(schema: Schema, prefixes: NDArray[Any], given: dict[str, Any]) -> NDArray[np.int64]:
    """Return the number of each category (m, v + 2): by its code, then of any other word, then of a missing one.

    Args:
        schema: with m categorical columns of at most v words.
        prefixes: (1, m), put before the words of each column.
        given: attributes of the ``LabelEncoder``.

    """
    known = dict(zip(given["keys_strings"], given["values_int64s"], strict=True))
    default = given.get("default_int64", -1)
    columns = schema.categorical
    widest = max(len(column.vocabulary) for column in columns)
    table = np.full((len(columns), widest + 2), default, dtype=np.int64)
    for j, (column, prefix) in enumerate(zip(columns, prefixes.reshape(-1), strict=True)):
        front = prefix.decode() if isinstance(prefix, bytes) else str(prefix)
        table[j, : len(column.vocabulary)] = [known.get(front + word, default) for word in column.vocabulary]
        table[j, -1] = known.get(front, default)
    return table


def plain(value: Any) -> Any:
    """Return an attribute with texts as ``str`` and sequences as lists."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, (list, tuple)) or type(value).__name__.startswith("Repeated"):
        return [plain(one) for one in value]
    return value


def _narrow(array: NDArray[Any]) -> Tensor:
    """Return a tensor of a type that NumPy has not by itself."""
    return torch.from_numpy(array.astype(np.float32)).to(torch.bfloat16)
