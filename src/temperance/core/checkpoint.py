"""A session's state as one value, taken and put back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from temperance.core import serving
from temperance.core.attached import Attached
from temperance.core.leaves import Leaves
from temperance.core.state import SessionState, copied, is_held
from temperance.records.errors import RecipeError


def snapshot(session: Attached) -> SessionState:
    """Return a deep copy of a session's state; the cost is one copy of its tensors.

    Raises:
        RecipeError: a step is half done, or the session is finished or closed.

    """
    serving.require_attached(session)
    solo = session.solo
    if solo.made is not None:
        raise RecipeError(
            "the state was asked for between session.gradients() and session.update()",
            "gradients of a step that is half done are no state",
            "Call session.update() first",
        )
    if solo.pending and solo.holdings.gradients():
        raise RecipeError(
            "the state was asked for between session.loss() and session.update(), and the optimizer holds parameters "
            "that are not the model's",
            "gradients of the loss's own parameters have no name to be kept under",
            "Call session.update() first",
        )
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


def restore(session: Attached, state: SessionState) -> None:
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
    solo.pending, solo.made = copied(state.pending), None
    for name, p in solo.home.items():  # what a step that was broken off left there belongs to no state
        p.grad = state.gradients[name].clone() if name in state.gradients else None
    solo.holdings.forget_gradients()


def _counts(session: Attached) -> dict[str, Any]:
    """Return steps, epoch and whatever else is one number, for the checkpoint."""
    return {
        "steps": session.steps, "epoch": session.epoch, "seed": session.seed, "lr_max": session._lr_max,
        "steps_per_epoch": session.steps_per_epoch, "stopped": session.stopped, "calm": session.solo.scaling.calm,
        "left_out": list(session.left_out), "tracked": session._moved.counts(),
        "loss": copied(session.solo.loss.facts()),
        "looks": {a: (m.looks, m.settled is not None) for a, m in session._memory.items()},
    }  # fmt: skip


def _take_counts(session: Attached, counts: Mapping[str, Any]) -> None:
    """Put ``counts`` back."""
    session.steps, session.epoch, session.seed = counts["steps"], counts["epoch"], counts["seed"]
    session._lr_max, session.steps_per_epoch = counts["lr_max"], counts["steps_per_epoch"]
    session.stopped, session.left_out = counts["stopped"], list(counts["left_out"])
    session.solo.scaling.calm = counts["calm"]
    session._moved.take_counts(counts["tracked"])
    session._start = None
    if "loss" in counts:  # states of older versions hold nothing of it
        session.solo.loss.take_facts(copied(counts["loss"]))
    for address, (looks, is_settled) in counts.get("looks", {}).items():
        memory = session._memory[address]
        memory.looks, memory.settled = looks, memory.plan if is_settled else None


def _owned(value: Any) -> Any:
    return value.like(value.tensors, owned=True) if isinstance(value, Leaves) else value


def _check(session: Attached, state: SessionState) -> None:
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
