"""An ONNX graph under construction: nodes, constants and replaceable weights by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.errors import BundleError, MissingExtra
from temperance.records.schema import Schema

if TYPE_CHECKING:
    from temperance.data.blocks import Block, Blocks

OPSET = 20
ML_OPSET = 5
IR_VERSION = 10
WEIGHT = "weight:"  # prefix of the initializers that ``fill`` may replace


def onnx_package() -> Any:
    """Return the ``onnx`` package.

    Raises:
        MissingExtra: it is not installed.

    """
    try:
        import onnx
    except ImportError as error:
        raise MissingExtra(
            "writing a bundle needs the package onnx", "it comes with Temperance", "pip install onnx"
        ) from error
    return onnx


class Sketch:
    """Collects nodes; every method returns the name of the new value.

    Args:
        schema: decides the inputs: ``numeric`` (b, n) float64 and ``categorical`` (b, m) string, or
            ``image`` (b, h, w, c) uint8, or where there are none of these ``rows`` (b,), zeros. Blocks that are asked
            for become inputs ``block_0`` … (b, d) float32: they are computed outside the graph.

    """

    def __init__(self, schema: Schema) -> None:
        self._onnx = onnx_package()
        self.schema = schema
        self._nodes: list[Any] = []
        self._initializers: dict[str, Any] = {}
        self._inputs: list[Any] = []
        self._shared: dict[Any, str] = {}
        self._count = 0
        self._scope: list[str] = []
        self._other_names: dict[str, str] = {}
        self.blocks: list[Block] = []
        for name, code, shape in _inputs(schema):
            self._inputs.append(self._onnx.helper.make_tensor_value_info(name, code, ["b", *shape]))

    @property
    def schema_input(self) -> str:
        """Name of one raw input, to take the count of rows from."""
        return str(self._inputs[0].name)

    def fresh(self, hint: str = "v") -> str:
        """Return a name that is not in use."""
        self._count += 1
        return f"{hint}_{self._count}"

    def add(self, op: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        return self.add_many(op, *inputs, outputs=1, domain=domain, **attributes)[0]

    def add_many(self, op: str, *inputs: str, outputs: int, domain: str = "", **attributes: Any) -> list[str]:
        """Add a node with several outputs and return their names."""
        names = [self.fresh(op.lower()) for _ in range(outputs)]
        inputs = tuple(self._other_names.get(name, name) for name in inputs)
        self._nodes.append(self._onnx.helper.make_node(op, list(inputs), names, domain=domain, **attributes))
        return names

    def constant(self, value: Any, dtype: Any = None) -> str:
        """Return the name of a constant; equal constants are stored once."""
        array = np.asarray(value, dtype=dtype)
        key = (
            "constant",
            array.dtype.str,
            array.shape,
            array.tobytes() if array.dtype != object else tuple(array.flat),
        )
        if key not in self._shared:
            name = self.fresh("constant")
            self._initializers[name] = self._onnx.numpy_helper.from_array(array.copy(order="C"), name)
            self._shared[key] = name
        return self._shared[key]

    def weight(self, name: str, value: NDArray[Any]) -> str:
        """Return the name of a learned array that ``fill`` can replace later.

        Raises:
            BundleError: the name is taken.

        """
        full = WEIGHT + self.scoped(name)
        if full in self._initializers:
            raise BundleError(f"two arrays of the model are both named {full!r}", "names are unique", "Rename one")
        array = np.array(value, order="C", copy=True)
        self._initializers[full] = self._onnx.numpy_helper.from_array(array, full)
        return full

    def block(self, block: Block) -> str:
        """Return the input (b, d) float32 that holds the numbers of a block; equal blocks share one."""
        for i, known in enumerate(self.blocks):
            if known is block or known == block:
                return f"block_{i}"
        name, kind = f"block_{len(self.blocks)}", self._onnx.TensorProto.FLOAT
        self.blocks.append(block)
        self._inputs.append(self._onnx.helper.make_tensor_value_info(name, kind, ["b", block.width]))
        return name

    @contextmanager
    def widened(self, blocks: Blocks) -> Iterator[None]:
        """Within it the blocks' numbers are further numeric columns: in ``schema``, and in the value ``numeric``."""
        schema, numeric = self.schema, ["numeric"] if self.schema.numeric else []
        found = [self.cast(self.block(block), np.float64) for block in blocks.blocks]
        parts = [*numeric, *found]
        self._other_names["numeric"] = parts[0] if len(parts) == 1 else self.add("Concat", *parts, axis=1)
        self.schema = blocks.widened
        try:
            yield
        finally:
            self.schema = schema
            del self._other_names["numeric"]

    def once(self, key: Any, make: Any) -> str:
        """Return what ``make()`` returned the first time that this key was seen."""
        if key not in self._shared:
            self._shared[key] = make()
        return self._shared[key]

    def cast(self, name: str, dtype: Any) -> str:
        """Cast to a NumPy dtype."""
        return self.add("Cast", name, to=self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def scoped(self, name: str) -> str:
        """Return a weight's name with its scopes in front."""
        return ".".join([*self._scope, name])

    def mark(self) -> tuple[int, dict[str, Any], dict[Any, str]]:
        """Remember the state, for ``undo``."""
        return len(self._nodes), dict(self._initializers), dict(self._shared)

    def undo(self, mark: tuple[int, dict[str, Any], dict[Any, str]]) -> None:
        """Drop everything that was added since ``mark``."""
        count, initializers, shared = mark
        del self._nodes[count:]
        self._initializers, self._shared = initializers, shared

    def enter(self, scope: str) -> None:
        """Start a scope: the names of weights get it as a prefix."""
        self._scope.append(scope)

    def leave(self) -> None:
        """End the innermost scope."""
        self._scope.pop()

    def adopt(self, nodes: Sequence[Any], initializers: Sequence[Any]) -> None:
        """Take over nodes and initializers of another graph, whose names must not be in use here."""
        self._nodes.extend(nodes)
        self._initializers.update({tensor.name: tensor for tensor in initializers})

    def finish(self, outputs: Mapping[str, tuple[str, Sequence[int | str]]]) -> Any:
        """Return the checked ``ModelProto``.

        Args:
            outputs: public name → (value's name, shape); all outputs are float64.

        Raises:
            BundleError: the graph is not valid.

        """
        helper, double = self._onnx.helper, self._onnx.TensorProto.DOUBLE
        nodes = [*self._nodes, *(helper.make_node("Identity", [value], [name]) for name, (value, _) in outputs.items())]
        infos = [helper.make_tensor_value_info(name, double, list(shape)) for name, (_, shape) in outputs.items()]
        used = {name for node in nodes for name in node.input}
        kept = [tensor for name, tensor in self._initializers.items() if name in used]
        graph = helper.make_graph(nodes, "temperance", self._inputs, infos, kept)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="temperance")
        try:
            self._onnx.checker.check_model(model)
        except (self._onnx.checker.ValidationError, ValueError) as error:
            raise BundleError(f"the exported graph is not valid: {error}", "", "Report this with the model") from error
        return model


def fill(model: Any, weights: Mapping[str, NDArray[Any]], *, scope: str = "") -> Any:
    """Return a copy of an exported graph with new weights in place of the old; nothing is exported again.

    Args:
        model: ``ModelProto`` made by ``Sketch.finish``.
        weights: arrays by parameter name, as in ``state_dict``; names that the graph does not hold are ignored.
        scope: name of the part inside an ensemble, e.g. ``member_0``.

    Raises:
        BundleError: a weight of the graph is missing in ``weights``, or has another shape or type.

    """
    onnx = onnx_package()
    filled = type(model)()
    filled.CopyFrom(model)
    prefix = WEIGHT + (scope + "." if scope else "")
    for tensor in filled.graph.initializer:
        if not tensor.name.startswith(prefix):
            continue
        name = tensor.name[len(prefix) :]
        if name not in weights:
            raise BundleError(f"there is no weight {name!r} for the graph", f"given were {', '.join(sorted(weights))}")
        array, old = np.array(weights[name], order="C"), tuple(tensor.dims)
        if array.shape != old or onnx.helper.np_dtype_to_tensor_dtype(array.dtype) != tensor.data_type:
            raise BundleError(f"weight {name!r} has shape {array.shape} {array.dtype}", f"the graph has {old}")
        tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
    return filled


def _inputs(schema: Schema) -> list[tuple[str, int, tuple[int, ...]]]:
    kinds = onnx_package().TensorProto
    if schema.kind == "images":
        if schema.image_shape is None:
            raise BundleError("the schema of an image model has no image_shape", "it needs (h, w, c)")
        return [("image", kinds.UINT8, schema.image_shape)]
    inputs: list[tuple[str, int, tuple[int, ...]]] = []
    if schema.numeric:
        inputs.append(("numeric", kinds.DOUBLE, (len(schema.numeric),)))
    if schema.categorical:
        inputs.append(("categorical", kinds.STRING, (len(schema.categorical),)))
    return inputs or [("rows", kinds.FLOAT, ())]  # zeros, one per row: how many rows there are
