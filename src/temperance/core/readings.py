"""What ``session.validate`` does: measure the held-out rows, steer, keep the weights; and what ``finish`` puts in."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from temperance.control.base import Move
from temperance.control.wrapper import Wrapper
from temperance.core import averaging, heldout
from temperance.core.attached import Attached
from temperance.core.batch import Batch
from temperance.core.heldout import Asked, Metric
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Regularizer
from temperance.core.replicas import agree
from temperance.core.selection import Buffers, is_statistic
from temperance.core.state import is_held
from temperance.records.errors import RecipeError, SettingError


class NeverHeard(UserWarning):
    """A controller ended without ever having heard its signal."""


class NeverBegan(UserWarning):
    """A technique's time never came in this training."""


class NothingWithin(UserWarning):
    """No reading stayed within the limits that the weights were to be chosen by."""


class NotNumbers(UserWarning):
    """The weights that a session leaves behind are not all finite, or a step was left out because its loss was not."""


NOT_NUMBERS = (
    "The weights that finish() leaves are not numbers, and no reading before had better ones. The loss or the rows "
    "hold NaN or infinity, or the learning rate is too high: this model is not usable."
)


def look(
    session: Attached, batches: Iterable[Any] | None, metric: Metric, value: float | None, better: str | None,
    loss: float | tuple[float, float] | None = None,
) -> None:  # fmt: skip
    """Measure the held-out rows, let the controllers move, keep what is best: ``session.validate`` after its checks.

    Raises:
        SettingError: neither batches nor a value, or another measure than before.

    """
    asked = heldout.ask(metric, value, better)
    if not (batches is None or isinstance(batches, Iterable) or hasattr(batches, "__getitem__")):
        raise SettingError(f"validate got {batches!r}", "an iterable of held-out batches", "Pass a loader or a list")
    if batches is None and value is None and loss is None:
        raise SettingError("validate got nothing", "held-out batches, or value= and better=", "Pass a loader or a list")
    if loss is not None and (batches is not None or metric != "loss"):
        raise SettingError(
            f"validate got valid_loss={loss!r} and {'batches' if metric == 'loss' else f'metric={metric!r}'}",
            "a held-out loss of the user's own comes without batches; with another measure as value= and better=",
            "Leave one of them out",
        )
    kept = session.readings
    kept.agree_on(asked)
    selecting = _selecting(session)
    rows: Iterable[Batch] = (one for raw in batches or () for one in session._reader.micros(raw))
    if batches is not None and (selecting or session._meter.needs_valid):
        rows = list(rows)
        for address in selecting:
            _let_select(session, address, rows)
    now, buffers = session.served, _buffers(session)
    judging = kept.select is not None and not session._keeps and not selecting  # else somebody else chooses
    trial = kept.trial(now) if judging and value is None and loss is None else None
    mean = {} if trial is None else kept.blend(buffers)

    def answer(weights: Leaves, statistics: Buffers) -> Any:
        def ask(batch: Batch) -> tuple[Any, Tensor]:
            with _wearing(session, statistics):
                return session.solo.answers(batch, weights)

        return ask

    sides = [answer(now, {})] + ([] if trial is None else [answer(trial, mean)])
    found = heldout.measure(rows, sides, metric, session.solo.loss.row_counts) if batches is not None else []
    numbers = _numbers(found, asked) | ({} if loss is None else _told(loss))
    session._steer(valid=rows if isinstance(rows, list) else (), reading=numbers)
    if judging:
        counts = [one.loss if asked.signal == "valid_loss" else one.metric for one in found]
        told = counts if value is None and loss is None else [numbers[asked.signal]]
        stale = session._meter.stale
        if not kept.admits({n: v for n, v in session.signals.items() if n.split("/")[0] not in stale}):
            told = [math.inf if asked.better == "lower" else -math.inf]
        both = agree({"now": told[0], "joined": told[1] if len(told) > 1 else math.nan}, session.solo.device)
        if kept.take(now, buffers, trial, both["now"], both["joined"]):
            _stop(session, f"stop: {kept.signal} has not improved for {kept.patience} readings")
    if not math.isfinite(numbers.get("valid_loss", 0.0)) or _is_broken(now):
        _stop(session, "stop: the held-out loss is not a number; these weights are not kept")


def wants_rows(session: Attached) -> bool:
    """Return whether ``validate`` needs the held-out rows themselves: a signal or a technique looks at them."""
    return session._meter.needs_valid or bool(_selecting(session))


def _selecting(session: Attached) -> list[str]:
    return [a for a, one in session.recipe.by_address.items() if type(one).select is not Regularizer.select]


def _numbers(found: list[heldout.Found], asked: Asked) -> dict[str, float]:
    numbers = {"valid_loss": found[0].loss, "valid_loss_error": found[0].error} if found else {}
    if asked.signal == "metric":
        numbers["metric"] = found[0].metric if asked.value is None else asked.value
    return numbers


def _told(loss: float | tuple[float, float]) -> dict[str, float]:
    """Return a loss that the user measured, and its standard error: NaN where nobody knows it."""
    value, error = loss if isinstance(loss, tuple) else (loss, math.nan)
    return {"valid_loss": float(value), "valid_loss_error": float(error)}


def _let_select(session: Attached, address: str, rows: list[Batch]) -> None:
    """Let a technique that chooses among weights look at the held-out rows."""

    def score(weights: Leaves) -> float:
        """Return the mean over the replicas, so that all of them choose alike."""
        value = heldout.side(session.solo.losses, rows, weights, session.solo.loss.row_counts)[0]
        return agree({"score": value}, session.solo.device)["score"]

    one, memory = session.recipe.by_address[address], session._memory[address]
    memory.update(one.select(session.solo.home, session._strengths[address], memory, score))


def _stop(session: Attached, why: str) -> None:
    if not session.stopped:
        session.trace.append(_line(session, "training", session.signals.get(session.readings.signal, math.nan), why))
    session.stopped = True


def _line(session: Attached, what: str, value: float, why: str, old: float = math.nan) -> Move:
    kept, known = session.readings, session.signals
    spread = known.get("valid_loss_error", math.nan) if kept.signal == "valid_loss" else math.nan
    progress = session.steps / session.planned_steps if session.planned_steps else math.nan
    epoch = known.get("epoch", math.nan)
    return Move(session.steps, progress, what, kept.signal, math.nan, value, False, why, 0, old, epoch, spread)


def put(session: Attached, batches: Iterable[Any] | None) -> None:
    """Put the chosen (or the served) weights into the module, with the statistics that go with them.

    Raises:
        RecipeError: averaged weights, BatchNorm and no batches.

    """
    kept = session.readings
    now = session.served if session.steps else session.solo.home  # no step: an average knows the start alone
    weights = kept.weights if kept.weights is not None else now
    if kept.chosen is not None:
        session.trace.append(_line(session, "weights", kept.score, str(kept.chosen), kept.single))
    if weights is session.solo.home:
        return
    layers = session._moved.layers()
    if layers and any(one.averages for one in session.recipe.regularizers):
        if batches is None:
            raise RecipeError(
                "the weights are averaged and the model has BatchNorm, but finish() got no batches",
                "running statistics must be estimated anew for averaged weights",
                "Call session.finish(batches=train)",
            )
        rows = averaging.first_of(session._reader.one(b) for b in batches)
        with session.solo.at(weights):  # should the batches fail, the trained weights are back
            averaging.refresh_statistics(session.model, layers, rows)
        session.solo.home.copy_(weights)
        return
    session.solo.home.copy_(weights)
    for name, buffer in _buffers(session).items():
        buffer.copy_(kept.buffers.get(name, buffer))


def keep_now(session: Attached) -> None:
    """Keep what would ship now, as a controller asks."""
    session.readings.keep(session.served, _buffers(session))


def deaf(session: Attached) -> tuple[str, ...]:
    """Return a sentence for each rule of the controller that never heard a number it could act on."""
    found = []
    for rule in session.recipe.controller.rules():
        if rule.awaits and not rule.awaits & session._heard:
            names = " or ".join(sorted(rule.awaits))
            why = (
                f"session.validate was called {session.epoch} times and never gave a number for it"
                if session.epoch
                else "session.validate was never called"
            )
            found.append(
                f"{type(rule).__name__} never heard {names}, so it moved nothing: {why}. "
                "Call session.validate(held_out_batches) once an epoch, and give attach epochs= and steps_per_epoch=."
            )
    return tuple(found)


def never_began(session: Attached) -> tuple[str, ...]:
    """Return a sentence for each technique whose time never came."""
    return tuple(text for a, one in session.recipe.by_address.items() for text in one.unbegun(session._memory[a]))


def tell_end(session: Attached) -> None:
    """Warn of controllers that heard nothing and of techniques that never began; the caller is ``finish``."""
    for sentence in deaf(session):
        warnings.warn(sentence, NeverHeard, stacklevel=3)
    limits = session.readings.refused_all
    if limits:
        warnings.warn(
            f"No reading stayed within {limits}: the weights are those of the last step. Validate more often, hold "
            "more firmly, or allow more",
            NothingWithin,
            stacklevel=3,
        )
    for sentence in never_began(session):
        warnings.warn(sentence, NeverBegan, stacklevel=3)


def idle(session: Attached) -> tuple[str, ...]:
    """Return a sentence for each rule that has nothing to move, or measure that never was a number."""
    moved = any(spec.adaptive for spec in session.recipe.specs.values())
    found = [
        f"{type(rule).__name__} has no strength to move: none of this recipe is declared adaptive."
        for rule in session.recipe.controller.rules()
        if rule.moves_adaptive and not moved and not isinstance(session.recipe.controller, Wrapper)
    ]
    kept = session.readings
    if kept.unknown:
        found.append(f"{kept.unknown} of {kept.count} readings gave no number; none of them was kept.")
    return tuple(found)


def _buffers(session: Attached) -> Buffers:
    """Return the module's buffers that are state: those in its ``state_dict`` and those of layer techniques."""
    stored = session.module.state_dict(keep_vars=True)
    return {n: b for n, b in session.module.named_buffers() if n in stored or is_held(n)}


@contextmanager
def _wearing(session: Attached, statistics: Buffers) -> Iterator[None]:
    """Let the module's running statistics be others for a pass."""
    own = {n: b for n, b in session.module.named_buffers() if n in statistics and is_statistic(n)}
    before = {name: b.data for name, b in own.items()}
    for name, b in own.items():
        b.data = statistics[name]
    try:
        yield
    finally:
        for name, b in own.items():
            b.data = before[name]


def _is_broken(weights: Leaves) -> bool:
    return not bool(torch.isfinite(weights.norm()))
