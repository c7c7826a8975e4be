"""What every form of a graph has in common, and which of its arrays are weights of products."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from temperance.records.errors import BundleError

Feed = dict[str, NDArray[Any]]
PRODUCTS = {"MatMul": (0, 1), "Gemm": (0, 1), "Conv": (1,), "ConvTranspose": (1,), "Gather": (0,)}
VIEWS = ("Transpose", "Reshape", "Unsqueeze", "Squeeze", "Identity", "Flatten")
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
    """Yield the initializers of at least ``LEAST`` floats that products, convolutions and look-ups take as weights."""
    made_of = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type in VIEWS}
    used = set()
    for node in model.graph.node:
        for place in PRODUCTS.get(node.op_type, ()):
            name = node.input[place]
            while name in made_of:
                name = made_of[name]
            used.add(name)
    floats = (1, 11)  # TensorProto.FLOAT, DOUBLE
    for tensor in model.graph.initializer:
        if tensor.name in used and tensor.data_type in floats and int(np.prod(tensor.dims)) >= LEAST:
            yield tensor


def no_weights() -> BundleError:
    """Return the refusal of a graph without such arrays."""
    return BundleError(
        "the model has no large arrays of weights", "a net, or a linear model of many columns",
        "Trees and small models stay as they are",
    )  # fmt: skip
