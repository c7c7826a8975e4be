"""Everything that changes while training, as one value: it is the checkpoint."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from temperance.control.base import Move
from temperance.core import serving
from temperance.core.batch import Batch, Mixed, Pass
from temperance.core.leaves import Leaves
from temperance.records.errors import RecipeError, SettingError

if TYPE_CHECKING:
    from temperance.core.session import Session


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


_KINDS: dict[str, Any] = {kind.__name__: kind for kind in (Batch, Mixed, Pass, PackedSequence)}
_PLAIN = (Tensor, bool, int, float, complex, str, bytes, torch.dtype, torch.device, torch.Size)


def _out(value: Any) -> Any:
    """Return ``value`` in the types that ``torch.load(weights_only=True)`` knows."""
    if isinstance(value, Leaves):
        return {"leaves": dict(value)}
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value)
    if type(value).__name__ in _KINDS and isinstance(value, tuple):
        return {"kind": type(value).__name__, "fields": [_out(one) for one in value]}
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


def snapshot(session: Session) -> SessionState:
    """Return a deep copy of a session's state; the cost is one copy of its tensors."""
    solo = session.solo
    with serving.trained(session):
        model = copied(dict(session.module.state_dict()))
        held = {n: b.detach().clone() for n, b in session.module.named_buffers() if is_held(n)}
    gradients = dict(zip(solo.home.names, solo.home.tensors, strict=True)) if solo.pending else {}
    return SessionState(
        recipe=session.recipe.to_toml(),
        model=model,
        held=held,
        trained=list(solo.home.names),
        optimizer=copied(session.optimizer.state_dict()),
        scheduler=[copied(one.state_dict()) for one in session.schedulers],
        scaler={} if solo.scaler is None else copied(solo.scaler.state_dict()),
        strengths={f"{a}.{n}": v.tolist() for a, s in session._strengths.items() for n, v in s.items()},
        memory={a: {n: copied(v) for n, v in m.items()} for a, m in session._memory.items()},
        control={n: np.array(v) for n, v in session._control.items()},
        trace=list(session.trace),
        signals=dict(session.signals),
        meter=session._meter.state_dict(),
        readings=session.readings.state_dict(),
        heard=sorted(session._heard),
        clean=copied(session._clean),
        counts=_counts(session),
        pending=copied(solo.pending),
        gradients={n: p.grad.detach().clone() for n, p in gradients.items() if p.grad is not None},
    )


def restore(session: Session, state: SessionState) -> None:
    """Put a state into a session of the same recipe and model; the state stays as it is, for another time.

    Raises:
        RecipeError: another recipe, other schedulers, or parameters that are frozen now and were trained then.

    """
    _check(session, state)
    solo, optimizer = session.solo, session.optimizer
    session.module.load_state_dict(state.model)
    for name, buffer in session.module.named_buffers():
        if is_held(name):
            buffer.copy_(state.held[name])
    # torch keeps the very tensors that it is given here, and steps them in place
    optimizer.load_state_dict(copied(state.optimizer))
    for scheduler, kept in zip(session.schedulers, state.scheduler, strict=True):
        scheduler.load_state_dict(copied(kept))
    if state.scaler and solo.scaler is not None:
        solo.scaler.load_state_dict(copied(state.scaler))
    session._set(state.strengths)
    for address, values in state.memory.items():
        memory = session._memory[address]
        memory.clear()
        memory.update({name: _owned(copied(value)) for name, value in values.items()})
    session._control = {name: np.array(value) for name, value in state.control.items()}
    session.trace = list(state.trace)
    session.signals = dict(state.signals)
    session._meter.load_state_dict(state.meter)
    session.readings.load_state_dict(state.readings)
    session._heard = set(state.heard)
    session._clean = copied(state.clean)
    _take_counts(session, state.counts)
    solo.pending = copied(state.pending)
    if solo.pending:
        for name, p in solo.home.items():
            p.grad = state.gradients[name].clone() if name in state.gradients else None


def _counts(session: Session) -> dict[str, Any]:
    """Return steps, epoch and whatever else is one number, for the checkpoint."""
    return {
        "steps": session.steps, "epoch": session.epoch, "seed": session.seed, "lr_max": session._lr_max,
        "steps_per_epoch": session.steps_per_epoch, "stopped": session.stopped, "calm": session.solo.calm,
        "left_out": list(session.left_out), "tracked": session._moved.counts(),
    }  # fmt: skip


def _take_counts(session: Session, counts: Mapping[str, Any]) -> None:
    """Put ``counts`` back."""
    session.steps, session.epoch, session.seed = counts["steps"], counts["epoch"], counts["seed"]
    session._lr_max, session.steps_per_epoch = counts["lr_max"], counts["steps_per_epoch"]
    session.stopped, session.left_out = counts["stopped"], list(counts["left_out"])
    session.solo.calm = counts["calm"]
    session._moved.take_counts(counts["tracked"])
    session._start = None


def _owned(value: Any) -> Any:
    return value.like(value.tensors, owned=True) if isinstance(value, Leaves) else value


def _check(session: Session, state: SessionState) -> None:
    if state.recipe != session.recipe.to_toml():
        raise RecipeError(
            "the checkpoint was written with another recipe",
            f"it holds\n{state.recipe}",
            "Attach that recipe (Recipe.from_toml), then load",
        )
    if len(state.scheduler) != len(session.schedulers):
        raise RecipeError(
            f"the checkpoint holds {len(state.scheduler)} schedulers, this session {len(session.schedulers)}",
            "the same schedulers in the same order",
            "Pass scheduler=… to attach, as in the run that wrote it",
        )
    frozen = sorted(set(state.trained) - set(session.solo.home.names))
    if frozen:
        raise RecipeError(
            f"{frozen[0]} and {len(frozen) - 1} more were trained when the checkpoint was written, and are not now",
            f"this session trains {len(session.solo.home)} parameters",
            "Unfreeze them and give them to the optimizer before load_state_dict",
        )
