"""Everything that changes while training, as one value: it is the checkpoint."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from temperance.control.base import Move
from temperance.core.batch import Batch, Mixed, Pass
from temperance.core.convention import Convention
from temperance.core.leaves import Leaves
from temperance.records.errors import RecipeError, SettingError


class TrainState(NamedTuple):
    """The state of a pure step; the population's tensors have a first axis k.

    Attributes:
        params: parameters by name.
        buffers: buffers by name.
        strengths: tensors by address of the regularizer and name; () or (k,).
        memory: what each regularizer remembers; nested dicts of tensors.
        optimizer: nested dicts of tensors.
        control: the controller's arrays.
        steps: optimizer steps done.
        seeds: one seed per member (one, for a single run).

    """

    params: dict[str, Tensor]
    buffers: dict[str, Tensor]
    strengths: dict[str, dict[str, Tensor]]
    memory: dict[str, dict[str, Any]]
    optimizer: dict[str, Any]
    control: dict[str, NDArray[Any]]
    steps: int
    seeds: tuple[int, ...]

    @property
    def values(self) -> dict[str, NDArray[np.float64]]:
        """Strengths as NumPy arrays by full address, as controllers take them."""
        return {
            f"{address}.{name}": tensor.detach().cpu().numpy().astype(np.float64)
            for address, part in self.strengths.items()
            for name, tensor in part.items()
        }


def plain(memory: dict[str, Any]) -> dict[str, Any]:
    """Turn ``Leaves`` into dicts, so that ``vmap`` and ``torch.save`` can walk the memory."""
    return {name: {"leaves": dict(v)} if isinstance(v, Leaves) else v for name, v in memory.items()}


def rich(memory: dict[str, Any]) -> dict[str, Any]:
    """Turn them back."""
    return {
        name: Leaves.of(v["leaves"]) if isinstance(v, dict) and set(v) == {"leaves"} else v
        for name, v in memory.items()
    }


@dataclass
class SessionState:
    """Everything that changes while a session trains: what checkpoints, proofs, forks and retries hold and put back.

    It shares no tensor with the session, so a session may train on and come back to it, as often as wanted.

    Attributes:
        recipe: the recipe as TOML; a state fits no other one.
        model: the module's ``state_dict``: the *trained* weights, also where averaged ones stand in it just now.
        held: buffers of layer techniques by name.
        trained: names of the parameters that were trained.
        optimizer: the optimizer's ``state_dict``.
        scheduler: state dicts of the schedulers that ``attach`` was given, in order.
        scaler: the scaler's ``state_dict``; its calm steps are among ``counts``.
        strengths: values by address, each () or (k,).
        memory: what each technique remembers, by address.
        control: the controller's memory.
        trace: moves of the strengths so far.
        signals: numbers as they were last measured.
        meter: what the signals remember.
        readings: what ``validate`` kept for ``finish``.
        heard: signals that had a number at least once.
        clean: training batches that are kept for signals.
        counts: steps, epoch, seed and the like.
        pending: passes whose backward is the user's, and their batches.
        gradients: gradients by name where passes are pending, else empty.

    """

    recipe: str
    model: dict[str, Any]
    held: dict[str, Tensor]
    trained: list[str]
    optimizer: dict[str, Any]
    scheduler: list[dict[str, Any]]
    scaler: dict[str, Any]
    strengths: dict[str, Any]
    memory: dict[str, dict[str, Any]]
    control: dict[str, NDArray[Any]]
    trace: list[Move]
    signals: dict[str, float]
    meter: dict[str, Any]
    readings: dict[str, Any]
    heard: list[str]
    clean: list[Batch]
    counts: dict[str, Any]
    pending: list[tuple[Pass, Batch]]
    gradients: dict[str, Tensor]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values and tensors: what ``torch.save`` writes and ``torch.load(weights_only=True)`` reads.

        Raises:
            SettingError: a batch or an output is of a type that such a file cannot hold.

        """
        rows = {f.name: _out(getattr(self, f.name)) for f in fields(self) if f.name != "trace"}
        return {**rows, "trace": [move.to_dict() for move in self.trace]}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> SessionState:
        """Rebuild from ``to_dict``.

        Raises:
            RecipeError: the dict is no session's state, or an older version's.

        """
        missing = [f.name for f in fields(cls) if f.name not in row]
        if missing:
            raise RecipeError(
                f"a state without {', '.join(missing)}",
                "what session.state_dict() of this version returned",
                "Load the dict that session.state_dict() gave; an older version's cannot be continued",
            )
        known = {f.name: _in(row[f.name]) for f in fields(cls) if f.name != "trace"}
        known["control"] = {name: value.numpy() for name, value in known["control"].items()}
        return cls(**known, trace=[Move.from_dict(move) for move in row["trace"]])


def copied(value: Any) -> Any:
    """Return a deep copy of a tree of tensors, ``Leaves``, arrays and containers; anything else is kept as it is."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, Leaves):
        return value.clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(copied, value))
    if isinstance(value, Mapping):
        made = {name: copied(one) for name, one in value.items()}
        return made if type(value) is dict else _like(value, made)
    if isinstance(value, (list, tuple, set)):
        return type(value)(map(copied, value))
    return value


def _like(value: Any, made: dict[str, Any]) -> Any:
    """Return a mapping of the type of ``value`` (an output of transformers, say) with other values."""
    other = copy.copy(value)
    for name, one in made.items():
        other[name] = one
    return other


_KINDS: dict[str, Any] = {kind.__name__: kind for kind in (Batch, Mixed, Pass, PackedSequence, Convention)}
_PLAIN = (Tensor, bool, int, float, complex, str, bytes, torch.dtype, torch.device, torch.Size)


def _out(value: Any) -> Any:
    """Return ``value`` in the types that ``torch.load(weights_only=True)`` knows."""
    if isinstance(value, Leaves):
        return {"leaves": dict(value)}
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value)
    if type(value).__name__ in _KINDS and isinstance(value, tuple):
        return {"kind": type(value).__name__, "fields": [_out(one) for one in value]}
    if isinstance(value, Convention):
        return {"kind": type(value).__name__, "fields": [_out(getattr(value, f.name)) for f in fields(value)]}
    if isinstance(value, Mapping):
        return {name: _out(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_out(one) for one in value] if isinstance(value, list) else tuple(_out(one) for one in value)
    if value is None or isinstance(value, (*_PLAIN, set, Counter)):
        return value
    raise SettingError(
        f"the session's state holds a {type(value).__module__}.{type(value).__qualname__}",
        "a file takes tensors, numbers, text, and tuples, lists and dicts of these",
        "Give such batches as tuples or dicts; between session.loss() and session.update() call update() first",
    )


def _in(value: Any) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"leaves"}:
            return Leaves.of(value["leaves"], owned=True)
        if set(value) == {"kind", "fields"} and value["kind"] in _KINDS:
            return _KINDS[value["kind"]](*map(_in, value["fields"]))
        return {name: _in(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_in, value))
    return value


def is_held(name: str) -> bool:
    """Return whether a buffer was put there by a layer technique: it is state, but not in the user's ``state_dict``."""
    return name.rsplit(".", 1)[-1].startswith("temperance_")
