"""What a foreign model gives, brought to one form: probabilities (b, c) or values (b,), and what it was taken for."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from temperance.records.errors import DataError
from temperance.records.schema import Schema, Target

Scale = Literal["values", "probabilities", "logits", "chance", "logit"]
MOST_NAMED = 10  # classes
WORDS: dict[Scale, str] = {
    "values": "The model's outputs were taken as values.",
    "probabilities": "The model's outputs were taken as probabilities: they are from 0 to 1 and sum to 1.{order}",
    "logits": "The model's outputs were taken as logits: they are no probabilities, and a softmax was applied.{order}",
    "chance": "The model's one output was taken as the probability of {second!r}.",
    "logit": "The model's one output was taken as a logit of {second!r}: a sigmoid was applied.",
}


def scale_of(raw: NDArray[Any], target: Target) -> Scale:
    """Say what outputs are, from some rows.

    Shapes: raw (b, c), (b, 1) or (b,).

    Raises:
        DataError: their shape fits neither the classes nor a value.

    """
    width = raw.shape[1] if raw.ndim == 2 else 1
    if target.task == "regression":
        if width != 1 or raw.ndim > 2:
            raise DataError(f"outputs of shape {raw.shape}", "one value for each row", "Give a model of one output")
        return "values"
    within = bool((raw >= 0).all() and (raw <= 1 + 1e-6).all())
    if width == 1 and raw.ndim <= 2 and len(target.classes) == 2:
        return "chance" if within else "logit"
    if raw.ndim != 2 or width != len(target.classes):
        raise DataError(
            f"outputs of shape {raw.shape}", f"{len(target.classes)} numbers for each row, one a class",
            f"The classes of these data are {', '.join(target.classes)}, in this order",
        )  # fmt: skip
    return "probabilities" if within and np.allclose(raw.sum(axis=1), 1.0, atol=1e-3) else "logits"


def as_answers(raw: NDArray[Any], scale: Scale) -> NDArray[np.float64]:
    """Return probabilities (b, c) or values (b,).

    Shapes: raw (b, c), (b, 1) or (b,).
    """
    given = np.asarray(raw, dtype=np.float64)
    if scale == "values":
        return given.reshape(-1)
    if scale == "logits":
        apart = np.exp(given - given.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = apart / apart.sum(axis=1, keepdims=True)
        return shares
    if scale == "probabilities":
        found: NDArray[np.float64] = given / given.sum(axis=1, keepdims=True)
        return found
    one = given.reshape(-1)
    chance = one if scale == "chance" else 1.0 / (1.0 + np.exp(-np.clip(one, -700.0, 700.0)))
    return np.stack([1.0 - chance, chance], axis=1)


def said(scale: Scale, target: Target) -> str:
    """Say in words what outputs were taken for."""
    order = f" They stand for the classes {', '.join(target.classes[:MOST_NAMED])}"
    order += ", …, in this order." if len(target.classes) > MOST_NAMED else ", in this order."
    return WORDS[scale].format(second=target.classes[-1] if target.classes else "", order=order)


def order_of(names: Any, schema: Schema) -> NDArray[np.int64]:
    """Return for each class of the data its place among a model's own classes, (c,).

    Raises:
        DataError: the model has other classes.

    """
    known = {plain(name): i for i, name in enumerate(names)}
    absent = [name for name in schema.target.classes if plain(name) not in known]
    if absent or len(known) != len(schema.target.classes):
        raise DataError(
            f"a model with the classes {', '.join(map(str, names))}",
            f"the classes of the data: {', '.join(schema.target.classes)}",
            "Use data with the classes that the model knows",
        )
    return np.array([known[plain(name)] for name in schema.target.classes], dtype=np.int64)


def plain(name: Any) -> str:
    """Return the label of a class as a schema writes it: 1.0 and True as 1 and true."""
    value = name.item() if hasattr(name, "item") else name
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
