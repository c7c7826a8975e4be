"""Stop at the best reading, and average the readings that earned it: what ``session.validate`` keeps for ``finish``."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from temperance.control.base import Move, require
from temperance.control.wrapper import Wrapper
from temperance.core import averaging, heldout
from temperance.core.batch import Batch, to_batch
from temperance.core.heldout import Asked, Better, Metric
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Regularizer
from temperance.core.replicas import agree
from temperance.core.state import is_held
from temperance.records.errors import RecipeError, SettingError

if TYPE_CHECKING:
    from temperance.core.session import Session

Select = Literal["average", "best"]
Buffers = dict[str, Tensor]


class NeverHeard(UserWarning):
    """A controller ended without ever having heard its signal."""


class NeverBegan(UserWarning):
    """A technique's time never came in this training."""


class NotNumbers(UserWarning):
    """The weights that a session leaves behind are not all finite, or a step was left out because its loss was not."""


NOT_NUMBERS = (
    "The weights that finish() leaves are not numbers, and no reading before had better ones. The loss or the rows "
    "hold NaN or infinity, or the learning rate is too high: this model is not usable."
)


@dataclass(frozen=True)
class Chosen:
    """The weights that ``finish`` will put in.

    Attributes:
        readings: numbers of the calls of ``validate`` whose weights are in the mean, the first is 1.
        signal: what they were judged by, ``valid_loss`` or ``metric``.
        value: its value at these weights, on the held-out rows that chose them: it flatters.
        single: the best value of one reading alone.

    """

    readings: tuple[int, ...]
    signal: str
    value: float
    single: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {**asdict(self), "readings": list(self.readings)}

    def __str__(self) -> str:
        if len(self.readings) == 1:
            return f"serves reading {self.readings[0]}, {self.signal} {self.value:.4g}"
        first, last = self.readings[0], self.readings[-1]
        mean = f"serves the mean of {len(self.readings)} readings from {first} to {last}"
        return f"{mean}, {self.signal} {self.value:.4g} (the best alone {self.single:.4g})"


class Readings:
    """The weights that the held-out rows spoke for: one set, and how it came about.

    With w the weights that would ship now, s the kept ones (the mean of m readings) and L the held-out loss:

        t = s + (w − s)/(m + 1);   L(t) ≤ min(L(s), L(w)): keep t, the reading joins
                                   else L(w) < L(s):       keep w, a new beginning
                                   else:                   keep s; ``patience`` such readings in a row stop the training

    Running statistics are averaged like weights and judged with them, so nothing has to be re-estimated. A reading
    without a number is never kept. Memory: two copies of the weights, a third while validating.

    Args:
        select: ``average`` as above, ``best`` without t, None: only what a controller keeps.
        patience: see above.

    References: Prechelt (1998), "Early stopping, but when?"; Wortsman et al. (2022), arXiv:2203.05482, greedy soups;
    here in the order of time, so that two copies are enough.

    """

    def __init__(self, select: Select | None, patience: int) -> None:
        if select not in ("average", "best", None):
            raise SettingError(f"select={select!r}", "'average', 'best' or None", "Pick one of these")
        require("attach", "patience", patience, 1, 1_000_000, whole=True)
        self.select, self.patience = select, patience
        self.weights: Leaves | None = None
        self.buffers: Buffers = {}
        self.readings: tuple[int, ...] = ()
        self.score, self.single = math.nan, math.nan
        self.better: Better | None = None
        self.signal = ""
        self.since, self.count, self.unknown = 0, 0, 0

    def agree_on(self, asked: Asked) -> None:
        """Hold the user to one measure: scores of two measures cannot be compared."""
        if self.better is not None and (self.better, self.signal) != (asked.better, asked.signal):
            raise SettingError(
                f"validate is now asked for {asked.signal}, {asked.better} is better",
                f"this session's weights were judged by {self.signal}, {self.better} is better",
                "Keep to one measure in one training",
            )
        self.better, self.signal = asked.better, asked.signal

    def trial(self, now: Leaves) -> Leaves | None:
        """Return the mean that this reading would join; None where there is nothing to join yet."""
        if self.select != "average" or self.weights is None:
            return None
        return self.weights.lerp(now.detach(), 1 / (len(self.readings) + 1))

    def blend(self, now: Buffers) -> Buffers:
        """Return the running statistics of the mean; what is not a running statistic is the latest."""
        share = 1 / (len(self.readings) + 1)
        return {
            name: torch.lerp(self.buffers[name], b, share) if _is_statistic(name) and name in self.buffers else b
            for name, b in now.items()
        }

    def take(self, now: Leaves, buffers: Buffers, trial: Leaves | None, value: float, joined: float) -> bool:
        """Keep what is best; return whether the training should end."""
        self.count += 1
        if math.isnan(value):
            self.unknown += 1
            return False
        better = self._better
        self.single = value if math.isnan(self.single) or better(value, self.single) else self.single
        improved = math.isnan(self.score) or better(value, self.score) or better(joined, self.score)
        if trial is not None and math.isfinite(joined) and not (better(self.score, joined) or better(value, joined)):
            self.keep(trial, self.blend(buffers), (*self.readings, self.count), copy=False)
            self.score = joined
        elif math.isfinite(value) and (math.isnan(self.score) or better(value, self.score)):
            self.keep(now, buffers, (self.count,))
            self.score = value
        self.since = 0 if improved else self.since + 1
        return self.since >= self.patience

    def keep(self, weights: Leaves, buffers: Buffers, readings: tuple[int, ...] = (), *, copy: bool = True) -> None:
        """Keep these weights and the statistics that go with them."""
        self.weights = weights.clone(owned=True) if copy else weights.like(weights.tensors, owned=True)
        self.buffers = {name: b.detach().clone() for name, b in buffers.items()}
        self.readings = readings

    def take_in(self, leaves: Leaves) -> None:
        """Let leaves that have joined the training stand in the kept weights as they are now."""
        if self.weights is not None:
            kept = self.weights
            self.weights = Leaves.of({n: kept[n] if n in kept else p.detach().clone() for n, p in leaves.items()})
            self.weights.owned = True

    def _better(self, one: float, other: float) -> bool:
        return one < other if self.better == "lower" else one > other

    @property
    def chosen(self) -> Chosen | None:
        """What will be served; None before the first number, or where a controller chooses."""
        known = self.weights is not None and self.readings
        return Chosen(self.readings, self.signal, self.score, self.single) if known else None

    def state_dict(self) -> dict[str, Any]:
        """Return everything that changes, as plain values and copies of tensors."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        weights = None if self.weights is None else dict(self.weights.clone())
        return {**plain, "weights": weights, "buffers": {n: b.clone() for n, b in self.buffers.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state_dict``."""
        for name in _PLAIN:
            setattr(self, name, state[name])
        self.readings = tuple(self.readings)
        weights = state["weights"]
        self.weights = None if weights is None else Leaves.of(weights, owned=True).clone()
        self.buffers = {n: b.clone() for n, b in state["buffers"].items()}


_PLAIN = ("score", "single", "better", "signal", "since", "count", "unknown", "readings")


def look(
    session: Session, batches: Iterable[Any] | None, metric: Metric, value: float | None, better: str | None
) -> None:
    """Measure the held-out rows, let the controllers move, keep what is best: ``session.validate`` after its checks."""
    asked = heldout.ask(metric, value, better)
    if batches is None and value is None:
        raise SettingError("validate got nothing", "held-out batches, or value= and better=", "Pass a loader or a list")
    kept, techniques = session.readings, session.recipe.by_address
    kept.agree_on(asked)
    selecting = [a for a, one in techniques.items() if type(one).select is not Regularizer.select]
    rows: Iterable[Batch] = map(to_batch, batches or ())
    if batches is not None and (selecting or session._meter.needs_valid):
        rows = list(rows)
        for address in selecting:
            _let_select(session, address, rows)
    now, buffers = session.served, _buffers(session)
    judging = kept.select is not None and not session._keeps and not selecting  # else somebody else chooses
    trial = kept.trial(now) if judging and value is None else None
    mean = {} if trial is None else kept.blend(buffers)

    def answer(weights: Leaves, statistics: Buffers) -> Any:
        def ask(batch: Batch) -> tuple[Any, Tensor]:
            with _wearing(session, statistics):
                return session.solo.answers(batch, weights)

        return ask

    sides = [answer(now, {})] + ([] if trial is None else [answer(trial, mean)])
    found = heldout.measure(rows, sides, metric) if batches is not None else []
    numbers = _numbers(found, asked)
    session._steer(valid=rows if isinstance(rows, list) else (), reading=numbers)
    if judging:
        counts = [one.loss if asked.signal == "valid_loss" else one.metric for one in found]
        told = counts if value is None else [float(value)]
        both = agree({"now": told[0], "joined": told[1] if len(told) > 1 else math.nan}, session.solo.device)
        if kept.take(now, buffers, trial, both["now"], both["joined"]):
            _stop(session, f"stop: {kept.signal} has not improved for {kept.patience} readings")
    if not math.isfinite(numbers.get("valid_loss", 0.0)) or _is_broken(now):
        _stop(session, "stop: the held-out loss is not a number; these weights are not kept")


def _numbers(found: list[heldout.Found], asked: Asked) -> dict[str, float]:
    numbers = {"valid_loss": found[0].loss, "valid_loss_error": found[0].error} if found else {}
    if asked.signal == "metric":
        numbers["metric"] = found[0].metric if asked.value is None else asked.value
    return numbers


def _let_select(session: Session, address: str, rows: list[Batch]) -> None:
    """Let a technique that chooses among weights look at the held-out rows."""

    def score(weights: Leaves) -> float:
        """Return the mean over the replicas, so that all of them choose alike."""
        value = heldout.side(session.solo.losses, rows, weights)[0]
        return agree({"score": value}, session.solo.device)["score"]

    one, memory = session.recipe.by_address[address], session._memory[address]
    memory.update(one.select(session.solo.home, session._strengths[address], memory, score))


def _stop(session: Session, why: str) -> None:
    if not session.stopped:
        session.trace.append(_line(session, "training", session.signals.get(session.readings.signal, math.nan), why))
    session.stopped = True


def _line(session: Session, what: str, value: float, why: str, old: float = math.nan) -> Move:
    kept, known = session.readings, session.signals
    spread = known.get("valid_loss_error", math.nan) if kept.signal == "valid_loss" else math.nan
    progress = session.steps / session.planned_steps if session.planned_steps else math.nan
    epoch = known.get("epoch", math.nan)
    return Move(session.steps, progress, what, kept.signal, math.nan, value, False, why, 0, old, epoch, spread)


def put(session: Session, batches: Iterable[Any] | None) -> None:
    """Put the chosen (or the served) weights into the module, with the statistics that go with them.

    Raises:
        RecipeError: averaged weights, BatchNorm and no batches.

    """
    kept = session.readings
    weights = kept.weights if kept.weights is not None else session.served
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
        rows = averaging.first_of(to_batch(b) for b in batches)
        with session.solo.at(weights):  # should the batches fail, the trained weights are back
            averaging.refresh_statistics(session.model, layers, rows)
        session.solo.home.copy_(weights)
        return
    session.solo.home.copy_(weights)
    for name, buffer in _buffers(session).items():
        buffer.copy_(kept.buffers.get(name, buffer))


def keep_now(session: Session) -> None:
    """Keep what would ship now, as a controller asks."""
    session.readings.keep(session.served, _buffers(session))


def deaf(session: Session) -> tuple[str, ...]:
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


def never_began(session: Session) -> tuple[str, ...]:
    """Return a sentence for each technique whose time never came."""
    return tuple(text for a, one in session.recipe.by_address.items() for text in one.unbegun(session._memory[a]))


def tell_end(session: Session) -> None:
    """Warn of controllers that heard nothing and of techniques that never began; the caller is ``finish``."""
    for sentence in deaf(session):
        warnings.warn(sentence, NeverHeard, stacklevel=3)
    for sentence in never_began(session):
        warnings.warn(sentence, NeverBegan, stacklevel=3)


def idle(session: Session) -> tuple[str, ...]:
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


def _buffers(session: Session) -> Buffers:
    """Return the module's buffers that are state: those in its ``state_dict`` and those of layer techniques."""
    stored = session.module.state_dict(keep_vars=True)
    return {n: b for n, b in session.module.named_buffers() if n in stored or is_held(n)}


@contextmanager
def _wearing(session: Session, statistics: Buffers) -> Iterator[None]:
    """Let the module's running statistics be others for a pass."""
    own = {n: b for n, b in session.module.named_buffers() if n in statistics and _is_statistic(n)}
    before = {name: b.data for name, b in own.items()}
    for name, b in own.items():
        b.data = statistics[name]
    try:
        yield
    finally:
        for name, b in own.items():
            b.data = before[name]


def _is_statistic(name: str) -> bool:
    return name.rsplit(".", 1)[-1] in ("running_mean", "running_var")


def _is_broken(weights: Leaves) -> bool:
    return not bool(torch.isfinite(weights.norm()))
