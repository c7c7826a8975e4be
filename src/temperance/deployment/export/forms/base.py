"""What every form of a graph has in common, and which of its arrays are weights of products."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import NDArray

from temperance.records.errors import BundleError

Feed = dict[str, NDArray[Any]]
PRODUCTS = {"MatMul": (0, 1), "Gemm": (0, 1), "Conv": (1,), "ConvTranspose": (1,), "Gather": (0,)}
FLOATS = (1, 11)  # TensorProto.FLOAT, DOUBLE
LEAST = 256  # numbers in an array; smaller ones are left as they are


@dataclass(frozen=True)
class Form(ABC):
    """One way to store and compute a graph.

    Attributes:
        name: as the table of an export shows it.
        says: one plain sentence.
        tolerance: how far another machine's answers may be from this one's: products of integers round at other places
            where a number lies between two steps.

    """

    name: ClassVar[str]
    says: ClassVar[str]
    tolerance: ClassVar[float] = 1e-5

    @abstractmethod
    def convert(self, model: Any, feed: Feed | None) -> Any:
        """Return the graph in this form; ``model`` stays as it is.

        Args:
            model: ``onnx.ModelProto``.
            feed: inputs of the graph for real rows, to take ranges from; None: there are none.

        Raises:
            BundleError: the graph has no such form; the reason is in its words.

        """


def copied(model: Any) -> Any:
    """Return a copy of a ``ModelProto``."""
    made = type(model)()
    made.CopyFrom(model)
    return made


def product_weights(model: Any) -> Iterator[Any]:
    """Yield the initializers of at least ``LEAST`` floats that become weights of products, convolutions and look-ups.

    A weight may be turned, cut to shape or scaled by constants on its way; what meets a row is none.
    """
    initial = {tensor.name: tensor for tensor in model.graph.initializer}
    roots: dict[str, frozenset[str]] = {name: frozenset((name,)) for name in initial}
    for node in model.graph.node:
        given = [name for name in node.input if name]
        if given and all(name in roots for name in given):
            found = frozenset().union(*(roots[name] for name in given))
            roots.update(dict.fromkeys(node.output, found))
    places = [(node, place) for node in model.graph.node for place in PRODUCTS.get(node.op_type, ())]
    used = frozenset().union(*(roots.get(node.input[place], frozenset()) for node, place in places))
    for name, tensor in initial.items():
        if name in used and tensor.data_type in FLOATS and math.prod(tensor.dims) >= LEAST:
            yield tensor


def no_weights() -> BundleError:
    """Return the refusal of a graph without such arrays."""
    return BundleError(
        "the model has no large arrays of weights", "a net, or a linear model of many columns",
        "Trees and small models stay as they are",
    )  # fmt: skip
