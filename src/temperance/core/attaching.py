"""How a session begins: the model is rewired, the stages are composed, memories, signals and controller begin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from temperance.core import members
from temperance.core.attached import Attached
from temperance.core.embedding import Seam
from temperance.core.finite import OnNaN
from temperance.core.holdings import check_complex, check_sparse
from temperance.core.joining import context_of, fingerprint, tell_of_others
from temperance.core.metering import Meter
from temperance.core.opening import Opening
from temperance.core.optimizers import join_new
from temperance.core.regularizer import Memory, Regularizer
from temperance.core.signal import Signal, gives, untold
from temperance.core.solo import Solo
from temperance.core.statistics import Moved
from temperance.core.wrappers import forget_compiled
from temperance.records.errors import RecipeError, SettingError


def runner(fabric: Any, backward: Callable[[Tensor], Any] | None, scaler: Any) -> Callable[[Tensor], Any] | None:
    """Return what runs the backward pass of a loss; None: the loss's own.

    Raises:
        SettingError: two are given, or accelerate's, where it would scale the loss a second time.

    """
    if fabric is not None and backward is not None:
        raise SettingError("fabric= and backward= were given", "one of them runs the backward pass", "Leave one out")
    owner = getattr(backward, "__self__", None)  # an Accelerator, say
    if getattr(owner, "gradient_accumulation_steps", 1) != 1 or (scaler is not None and getattr(owner, "scaler", None)):
        raise SettingError(
            "backward=accelerator.backward, which divides by gradient_accumulation_steps or scales",
            "the session weighs micro-batches and scales by itself",
            "Leave backward= out",
        )
    return backward if fabric is None else fabric.backward  # type: ignore[no-any-return]


def wire(
    session: Attached, loss: Any, autocast: torch.dtype | None, scaler: Any,
    backward: Callable[[Tensor], Any] | None, nan: OnNaN,
    own: Iterable[Signal], by_member: Mapping[str, Mapping[str, list[float]]],
) -> None:  # fmt: skip
    """Rewire the model, compose the stages, and let every technique, signal and controller begin.

    Args:
        session: the new one; its settings are there, its model is as the user gave it.
        loss: see ``Session``.
        autocast: see ``Session``.
        scaler: see ``Session``.
        backward: what runs the backward pass of a loss; None: ``loss.backward()``.
        nan: see ``Session``.
        own: signals that the user asked for.
        by_member: strengths (k,) by address and name.

    Raises:
        RecipeError: a technique or the controller cannot work here.

    """
    parts = session.recipe.by_address
    scaler = scaler if scaler is not None and scaler.is_enabled() else None  # GradScaler(enabled=False) does nothing
    check_complex(session.module, parts)
    check_sparse(session.module, parts, scaler)
    device = next((p.device for p in session.module.parameters()), torch.device("cpu"))
    context = context_of(session, device)
    changed: dict[str, Regularizer] = {}  # those that changed the model
    for address, one in parts.items():
        one.check(context, session.optimizer)
        session._strengths[address] = members.strengths(
            address, one.initial(context), by_member.get(address, {}), device
        )
        undo = one.rewire(session.module, session._strengths[address])
        if undo is not None:
            changed[address] = one
            session._undo.append(undo)
        session._memory[address] = Memory({}, address=address, plan=one.plan(context))
    if session._undo:
        forget_compiled(session.model)
    join_new(session.module, session.optimizer)
    session.solo = Solo(
        session.model, session.optimizer, loss, parts, session._strengths, session._memory,
        autocast=autocast, scaler=scaler, backward=backward, nan=nan,
    )  # fmt: skip
    if changed:
        session.solo.opening = Opening(changed, session._strengths, session.model, device)
    if any(one.moves_inputs for one in parts.values()):
        session.solo.seam = Seam(session.module, session.solo.loss.inputs, session._told)
        session._undo.append(session.solo.seam.remove)
    session._moved = Moved(session.solo.statistics)
    session._start = fingerprint(session.module)
    tell_of_others(session)
    for address, one in parts.items():
        session._memory[address].update(one.begin(session.solo.home, context))
    _begin_readings(session, own)


def _begin_readings(session: Attached, own: Iterable[Signal]) -> None:
    """Let what is measured, and who reads it, begin; refuse who would read what nothing tells."""
    parts = session.recipe.by_address
    heard = frozenset[str]().union(*(one.reads for one in parts.values()))
    judged = ({"gap"} if session.readings.select else set()) | session.readings.limited
    session._meter = Meter(session.recipe.controller.reads | heard | judged, own)
    if not session._meter.needs_batches:
        session._clean_batches = min(1, session._clean_batches)
    known = gives(own) | {"step", "metric"}
    _require_told(session, untold(frozenset(type(one).__name__ for one in parts.values()), own))
    session.readings.check(known)
    session.recipe.controller.check(session._values(), session.recipe.specs, known)
    session._control = session.recipe.controller.begin(session._values(), session.recipe.specs)
    session._keeps = "keep" in session._control
    session._meter.begin(session.probe)


def _require_told(session: Attached, lacking: Mapping[str, str]) -> None:
    """Refuse a rule or a limit on what only a technique tells that the recipe does not have."""
    wanted = [(type(rule).__name__, rule.awaits) for rule in session.recipe.controller.rules()]
    wanted += [("Within", frozenset({name})) for name in session.readings.limited]
    for who, names in wanted:
        missing = sorted(names & lacking.keys())
        if missing and names <= lacking.keys():
            teller = lacking[missing[0]]
            raise RecipeError(
                f"{who} reads {missing[0]!r}, and nothing in this recipe tells it",
                f"{missing[0]!r} is told by {teller}",
                f"Add {teller} to the recipe, or read another signal",
            )
