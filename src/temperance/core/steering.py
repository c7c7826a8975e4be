"""From signals to strengths: what a session shows its signals, and how its controller moves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch

from temperance.core import readings
from temperance.core.attached import Attached
from temperance.core.batch import Batch
from temperance.core.optimizers import largest_rate
from temperance.core.policy import matrices
from temperance.core.replicas import agree
from temperance.core.serving import require_attached
from temperance.core.signal import Probe
from temperance.records.errors import SettingError

_READINGS_PER_RUN = 200  # how often, about, free signals are read and steer; it bounds the log as well


def probe(session: Attached, valid: Iterable[Batch], reading: Mapping[str, float]) -> Probe:
    """Return what signals may look at now.

    Raises:
        RecipeError: the session is finished or closed.

    """
    require_attached(session)
    planned = session.planned_steps
    lr = max(float(group["lr"]) for group in session.optimizer.param_groups)
    session._lr_max = max(session._lr_max, largest_rate(session.optimizer))
    return Probe(
        step=session.steps,
        progress=session.steps / planned if planned else math.nan,
        epoch=session.steps / session.steps_per_epoch if session.steps_per_epoch else math.nan,
        lr_ratio=lr / session._lr_max if session._lr_max else math.nan,
        params=session.solo.home,
        served=session.served,
        train=tuple(session._clean),
        valid=tuple(valid),
        losses=session.solo.losses,
        counts=session.solo.loss.row_counts,
        gradient=session.solo.plain_gradient,
        outputs=session.solo.outputs,
        product=session.solo.product,
        matrices=matrices(session.module),
        reading=reading,
        read=session._reader.micros,
    )


def steer(session: Attached, valid: Iterable[Batch], reading: Mapping[str, float]) -> None:
    """Measure what is due and let the controller move the strengths."""
    shown = probe(session, valid, reading)
    measured = session._meter.measure(shown)
    numbers = agree({"step": float(session.steps), **reading, **measured}, session.solo.device)
    session.signals.update(numbers)
    session._heard |= {name.split("/")[0] for name, number in numbers.items() if math.isfinite(number)}
    for address, one in session.recipe.by_address.items():
        if one.reads:
            session._memory[address].update(one.hear(numbers, session._memory[address]))
    before = session._values()
    controller, specs = session.recipe.controller, session.recipe.specs
    after, session._control = controller.steer(before, numbers, session._control, specs)
    clock = {"progress": shown.progress, "epoch": shown.epoch}  # for the log, also where no rule reads them
    session.trace += controller.explain(before, after, {**clock, **numbers}, session._control, specs)
    session._set(after)
    if session._keeps and bool(np.all(session._control["keep"])):
        readings.keep_now(session)
    session.stopped = session.stopped or ("stop" in session._control and bool(np.all(session._control["stop"])))


def put_strengths(session: Attached, values: Mapping[str, Any]) -> None:
    """Write strengths by address into their tensors and, where they are one number, into the mirror."""
    for address, value in values.items():
        owner, name = address.rsplit(".", 1)
        strengths = session._strengths[owner]
        if strengths.mirror is None or name not in strengths.mirror:  # a value per member
            strengths[name].copy_(torch.as_tensor(value, dtype=strengths[name].dtype))
        elif strengths.mirror[name] != float(value):
            strengths.move(name, float(value))


def set_by_hand(session: Attached, address: str, value: float) -> None:
    """Check a strength against its declaration and set it.

    Raises:
        RecipeError: the session is finished or closed.
        SettingError: no such strength, or a value outside its range.

    """
    require_attached(session)
    specs = session.recipe.specs
    if address not in specs:
        raise SettingError(f"there is no strength {address!r}", f"known are {', '.join(specs) or 'none'}", "Pick one")
    session._set({address: specs[address].check(address, address.rsplit(".", 1)[-1], value)})


def interval(steps: int, planned: int) -> int:
    """Return the steps between two readings of the free signals; without a plan (0) they become rarer."""
    if planned:
        return -(-planned // _READINGS_PER_RUN)
    return 10 << max(0, (steps // (5 * _READINGS_PER_RUN)).bit_length() - 1)
