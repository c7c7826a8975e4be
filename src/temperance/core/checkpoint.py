"""The training state as one tree of tensors and plain values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from temperance.control.base import Move
from temperance.core.batch import Batch
from temperance.core.leaves import Leaves
from temperance.records.errors import RecipeError

if TYPE_CHECKING:
    from temperance.core.session import Session


def state_of(session: Session) -> dict[str, Any]:
    """Return parameters, buffers, strengths, memories, optimizer, counts, seed and the controller's memory."""
    return {
        "recipe": session.recipe.to_toml(),
        "model": {n: t.detach().clone() for n, t in session.module.state_dict().items()},
        "held": {n: b.detach().clone() for n, b in session.module.named_buffers() if is_held(n)},
        "optimizer": session.optimizer.state_dict(),
        "strengths": {f"{a}.{n}": v.tolist() for a, s in session._strengths.items() for n, v in s.items()},
        "memory": {a: {n: _out(v) for n, v in m.items()} for a, m in session._memory.items()},
        "control": {n: torch.from_numpy(np.array(v)) for n, v in session._control.items()},
        "trace": [move.to_dict() for move in session.trace],
        "signals": dict(session.signals),
        "meter": session._meter.state_dict(),
        "readings": session.readings.state_dict(),
        "heard": sorted(session._heard),
        "clean": [list(batch[:4]) for batch in session._clean],
        "counts": {"steps": session.steps, "epoch": session.epoch, "seed": session.seed, "lr_max": session._lr_max,
                   "steps_per_epoch": session.steps_per_epoch, "stopped": session.stopped},
    }  # fmt: skip


def restore(session: Session, state: Mapping[str, Any]) -> None:
    """Put a state into a session of the same recipe and model."""
    if state["recipe"] != session.recipe.to_toml():
        raise RecipeError(
            "the checkpoint was written with another recipe",
            f"it holds\n{state['recipe']}",
            "Attach that recipe (Recipe.from_toml), then load",
        )
    session.module.load_state_dict(state["model"])
    for name, buffer in session.module.named_buffers():
        if is_held(name):
            buffer.copy_(state["held"][name])
    session.optimizer.load_state_dict(state["optimizer"])
    session._set(state["strengths"])
    for address, values in state["memory"].items():
        memory = session._memory[address]
        memory.clear()
        memory.update({name: _in(value) for name, value in values.items()})
    session._control = {n: v.numpy().copy() for n, v in state["control"].items()}
    session.trace = [Move.from_dict(row) for row in state["trace"]]
    session.signals = dict(state["signals"])
    session._meter.load_state_dict(state.get("meter", {}))
    session.readings.load_state_dict(state["readings"])
    session._heard = set(state["heard"])
    session._clean = [session._reader.one(Batch(*parts)) for parts in state["clean"]]
    counts = state["counts"]
    session.steps, session.epoch, session.seed = counts["steps"], counts["epoch"], counts["seed"]
    session._lr_max, session.steps_per_epoch = counts["lr_max"], counts["steps_per_epoch"]
    session.stopped = counts["stopped"]


def is_held(name: str) -> bool:
    """Return whether a buffer was put there by a layer technique: it is state, but not in the user's ``state_dict``."""
    return name.rsplit(".", 1)[-1].startswith("temperance_")


def _out(value: Any) -> Any:
    if isinstance(value, Leaves):
        return {"leaves": dict(value.clone())}
    return value.detach().clone() if isinstance(value, torch.Tensor) else value


def _in(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"leaves"}:
        return Leaves.of(value["leaves"], owned=True).clone()
    return value.clone() if isinstance(value, torch.Tensor) else value
