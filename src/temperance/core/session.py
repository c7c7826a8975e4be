"""A session: a recipe attached to a user's model and optimizer, in any loop."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor, nn

from temperance.control.base import Move
from temperance.core import (
    attaching,
    checkpoint,
    joining,
    members,
    proof,
    readings,
    selection,
    serving,
    steering,
    telling,
)  # fmt: skip
from temperance.core.batch import Batch, Pass
from temperance.core.criterion import Criterion
from temperance.core.finite import NotFinite, OnNaN
from temperance.core.heldout import Metric
from temperance.core.holdings import check_optimizer
from temperance.core.intake import Intake
from temperance.core.leaves import Leaves
from temperance.core.metering import Meter
from temperance.core.optimizers import largest_rate
from temperance.core.random import fold, pulse
from temperance.core.recipe import Recipe
from temperance.core.regularizer import Memory, Strengths, Undo
from temperance.core.sharding import refuse_sharded
from temperance.core.signal import Probe, Signal
from temperance.core.solo import Solo
from temperance.core.state import SessionState
from temperance.core.statistics import Moved
from temperance.core.traces import is_attached, mark
from temperance.core.wrappers import bare, forget_compiled
from temperance.records.errors import RecipeError


class Session(telling.Telling):
    """A recipe attached to a model and an optimizer.

    Args:
        recipe: what to attach.
        model: the user's module, already on its device; it may be compiled; rewired in place until ``finish``.
        optimizer: a ``torch.optim`` optimizer over its parameters.
        loss: ``loss(outputs, targets)`` → (b,) (best), (b, …) or (); None: the model's own. See ``Criterion``.
        epochs: planned epochs; with ``steps_per_epoch`` it gives signals their ``progress``.
        steps_per_epoch: optimizer steps per epoch; learnt at the first ``validate`` where not given.
        steps: planned optimizer steps, where they are not epochs times steps per epoch.
        seed: seed of all noise.
        autocast: dtype for ``torch.autocast``, e.g. ``torch.bfloat16``.
        scaler: a ``torch.amp.GradScaler``; every pass of a step is unscaled, an overflow skips the update.
        fabric: a Lightning Fabric whose ``backward`` is used.
        backward: any other callable that runs the backward pass of a loss, e.g. one that scales it.
        scheduler: the learning-rate scheduler, or a list of them, for the checkpoint to hold; stepping stays yours.
        nan: at a loss that is not a finite number ``raise`` (naming the step and what made it), ``skip`` the update of
            that step, or ``ignore`` it. Off the CPU ``raise`` looks every 64 steps and ``skip`` waits for the device at
            each; with a scaler an overflow is skipped anyway.
        clean_batches: how many training batches are kept for the gap and other signals.
        signals: signals to measure besides those that controllers read, e.g. ``[Sharpness(every=5)]``.
        collate: raw batch → ``Batch`` (or a list of them: micro-batches), where the loader yields another form.
        outputs: answer of the model → what the loss takes and techniques act on, where it has several parts.
        logits: answer of the model → the logits that techniques act on, where the loss takes something else.
        member_strengths: values (k,) by address for the members of a net that has them; held, no controller moves them.
        select: what ``validate`` keeps for ``finish``: ``average`` (the mean of the readings that earned it), ``best``
            (one reading), ``Within`` limits or None. ``EarlyStopping``, ``GreedySoup`` and others that choose go first.
        patience: readings without a better one until ``stopped`` is set; a quarter of ``epochs``, 10 at least.

    Attributes:
        steps: optimizer steps done; those that were left out are counted too.
        left_out: numbers (the first is 1) of the steps that ``nan="skip"`` left out.
        stopped: whether a controller, or ``patience``, wants the training to end.

    Raises:
        RecipeError: the recipe cannot work on this model or optimizer, or a recipe is attached already.

    """

    def __init__(
        self,
        recipe: Recipe,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        loss: Callable[[Any, Any], Tensor] | None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        steps: int | None = None,
        seed: int = 0,
        autocast: torch.dtype | None = None,
        scaler: Any = None,
        fabric: Any = None,
        backward: Callable[[Tensor], Any] | None = None,
        scheduler: Any = None,
        nan: OnNaN = "raise",
        clean_batches: int = 4,
        signals: Iterable[Signal] = (),
        select: selection.Select | None = "average",
        patience: int | None = None,
        member_strengths: members.Given | None = None,
        collate: Callable[[Any], Any] | None = None,
        outputs: Callable[[Any], Any] | None = None,
        logits: Callable[[Any], Any] | None = None,
    ) -> None:
        self.module = bare(model)  # ``model`` without torch.compile and the like around it; all names are its names
        if any(map(is_attached, self.module.modules())):
            raise RecipeError(
                "this model or a part of it is attached already", "one recipe at a time", "Call session.finish() first"
            )
        refuse_sharded(model)
        check_optimizer(optimizer, model)
        self.recipe, self.model, self.optimizer = recipe, model, optimizer
        self.epochs, self.steps_per_epoch, self.seed = epochs, steps_per_epoch, seed
        self._planned = steps
        self.steps, self.epoch, self._lr_max = 0, 0, largest_rate(optimizer)
        self.trace: list[Move] = []
        self.signals: dict[str, float] = {}
        self.stopped, self._closed = False, ""
        self.readings = selection.Readings(select, max(10, (epochs or 0) // 4) if patience is None else patience)
        self._heard: set[str] = set()
        self._clean: list[Batch] = []
        self._clean_batches = clean_batches
        self.schedulers = list(scheduler) if isinstance(scheduler, (list, tuple)) else [scheduler] * bool(scheduler)
        self.left_out: list[int] = []
        self._uncompared, self._written = 2, -1  # steps until replicas are compared; a leaf's writes, see ``joining``
        self._beside: Any = None  # a hook between the first two steps, see ``joining.watch_beside``
        self._told: list[str] = []
        self._undo: list[Undo] = []
        self._strengths: dict[str, Strengths] = {}
        self._memory: dict[str, Memory] = {}
        self._control: dict[str, Any] = {}
        self._keeps = False  # whether the controller says which weights to keep
        self._start: list[float] | None = None
        self._last_loss: Tensor | None = None
        self.solo: Solo
        self._meter: Meter
        self._moved: Moved
        self._unmark: Undo = lambda: None
        self._own: tuple[Leaves, Moved] | None = None  # trained weights while others stand in the model
        try:
            own = members.by_owner(member_strengths or {}, recipe, self.module)
            reads = Criterion(loss, model, outputs=outputs, logits=logits)
            self._reader = Intake(model, reads, recipe.by_address, collate)
            runs = attaching.runner(fabric, backward, scaler)
            attaching.wire(self, reads, autocast, scaler, runs, nan, tuple(signals), own)
        except BaseException:
            self._detach()
            raise
        self._unmark = mark(self.module)

    # -- the loop ---------------------------------------------------------------------------------------------------

    def step(self, batch: Any) -> Pass:
        """Train on one batch; a list of batches accumulates their gradients into one update.

        Args:
            batch: ``Batch``, ``(inputs, targets)``, names with ``labels`` among them (``Reader``), or a list of these.

        Returns:
            The (first) pass: ``loss`` (with history; use ``.detach()``), ``outputs``, ``notes``.

        """
        micros = self._taken(self._reader.micros(batch))
        try:
            passed = self.solo.step(micros, fold(self.seed, self.steps))
        except NotFinite as fault:
            return joining.refuse(self, fault)
        self._after(passed, is_whole=True)
        return passed

    def gradients(self, batch: Any) -> Pass:
        """Run all passes of a step, of two-pass techniques too, but no update: clip ``.grad``, then ``update()``.

        Args:
            batch: as ``step`` takes it.

        """
        micros = self._taken(self._reader.micros(batch))
        try:
            return self.solo.gradients(micros, fold(self.seed, self.steps))
        except NotFinite as fault:
            if not self.solo.watch.skips:
                return joining.refuse(self, fault)
            self.solo.made = fault  # left out when ``update`` is called, so that it is counted there
            return fault.passed

    def _taken(self, micros: list[Batch]) -> list[Batch]:
        joining.ready(self)
        if len(self._clean) < self._clean_batches:
            self._clean.append(micros[0])
        return micros

    def loss(self, batch: Any) -> Tensor:
        """Return the regularized loss (with history) for a loop that calls ``backward`` itself; then ``update()``.

        Called again before ``update()`` it takes the next micro-batch: other noise, gradients that add up.
        """
        joining.before_loss(self)
        (one,) = self._taken([self._reader.next_of(batch, len(self.solo.pending))])
        try:
            return self.solo.forward(one, fold(self.seed, self.steps)).loss
        except NotFinite as fault:
            return joining.refuse(self, fault).loss

    def update(self) -> None:
        """Update by the gradients of ``loss`` and the user's ``backward``, or those of ``gradients``."""
        made = joining.require_loss(self)
        key = fold(self.seed, self.steps)
        try:
            if isinstance(made, NotFinite):
                raise made
            passed = self.solo.settle(key) if made is None else self.solo.apply(made, key)
        except NotFinite as fault:
            joining.refuse(self, fault)
        else:
            self._after(passed)

    def _after(self, passed: Pass, *, is_whole: bool = False) -> None:
        self.steps += 1
        self._last_loss = passed.loss.detach()
        if self.solo.watch.later:
            self.solo.watch.keep(passed.loss, self.steps - 1)
        if self._uncompared:
            joining.after_first_steps(self, is_whole=is_whole)
        self._meter.watch(passed, self.solo.loss)
        if self.recipe.is_adaptive or self._meter.has_own:
            interval = steering.interval(self.steps, self.planned_steps)
            if self.steps % interval == 0:
                self._steer(valid=())
            if (self.steps + 1) % interval == 0:
                self._meter.prepare(self.probe)

    @property
    def planned_steps(self) -> int:
        """Optimizer steps of the whole run, 0 where unknown."""
        return self._planned or (self.epochs or 0) * (self.steps_per_epoch or 0)

    def validate(
        self,
        batches: Iterable[Any] | None = None,
        *,
        metric: Metric = "loss",
        value: float | None = None,
        better: str | None = None,
        valid_loss: float | tuple[float, float] | None = None,
    ) -> dict[str, float]:
        """Look at held-out rows, once an epoch: measure signals, move strengths, keep the weights that earned it.

        Both sides of the gap are measured in evaluation mode, on clean batches, at the weights that would be served.
        What is kept: see ``Readings``; ``finish`` puts it in. Batches are streamed once, unless a signal needs them.

        Args:
            batches: held-out batches, the same rows each time.
            metric: what the weights are judged by: ``loss``, ``accuracy`` or ``metric(outputs, targets)``.
            value: the user's own number for the weights that would be served now; no averages are judged then.
            better: ``lower`` or ``higher``, for a function or a value.
            valid_loss: the held-out loss, with its standard error where known, as the user measured it (at the
                served weights, in evaluation mode); instead of batches, where nothing ``wants_rows``.

        Returns:
            All signals: ``valid_loss``, ``train_loss``, ``gap``, their errors, ``metric`` …

        """
        joining.require_open(self)
        self.solo.watch.look(self.steps)
        joining.before_reading(self)
        self.epoch += 1
        if self.steps_per_epoch is None and self.steps:
            self.steps_per_epoch = max(1, round(self.steps / self.epoch))
        readings.look(self, batches, metric, value, better, valid_loss)
        return dict(self.signals)

    # -- control ------------------------------------------------------------------------------------------------------

    def probe(self, valid: Iterable[Batch] = (), reading: Mapping[str, float] = MappingProxyType({})) -> Probe:
        """Return what signals may look at now."""
        return steering.probe(self, valid, reading)

    def _steer(self, valid: Iterable[Batch], reading: Mapping[str, float] = MappingProxyType({})) -> None:
        steering.steer(self, valid, reading)

    def _values(self) -> dict[str, Any]:
        return {f"{a}.{n}": np.asarray(v) for a, s in self._strengths.items() for n, v in (s.mirror or {}).items()}

    def _set(self, values: Mapping[str, Any]) -> None:
        steering.put_strengths(self, values)

    def set_strength(self, address: str, value: float) -> None:
        """Set one strength by hand; it is checked against its declaration."""
        steering.set_by_hand(self, address, value)

    # -- the end ------------------------------------------------------------------------------------------------------

    def finish(self, batches: Iterable[Any] | None = None) -> nn.Module:
        """Put the chosen (else the served) weights in, undo the surgery, return the model in evaluation mode.

        Args:
            batches: training batches; needed where averaged weights meet BatchNorm, whose statistics are re-estimated.

        Raises:
            RecipeError: averaged weights, BatchNorm and no batches (or a used-up iterator), or it was called before.

        """
        joining.require_open(self)
        self.solo.watch.look(self.steps)
        joining.tell_untrained(self)
        readings.tell_end(self)
        readings.put(self, batches)
        if not all(bool(torch.isfinite(p).all()) for p in self.module.parameters()):
            warnings.warn(readings.NOT_NUMBERS, readings.NotNumbers, stacklevel=2)
        self._detach()
        self._closed = "is finished"
        return self.model.eval()

    def close(self) -> None:
        """Take all changes to the model away and leave the trained weights there: the end of a training broken off."""
        if not self._closed:
            self._detach()
            self._closed = "is closed"

    def _detach(self) -> None:
        for undo in reversed(self._undo):
            undo()
        if self._undo:
            forget_compiled(self.model)
        self._undo.clear()
        joining.unwatch(self)
        self._unmark()

    def noise(self) -> AbstractContextManager[None]:
        """Give the coming step's noise to passes in training mode by hand: ``with session.noise(): model(x)``."""
        serving.require_attached(self)
        return pulse(fold(self.seed, self.steps))

    def proof(self, batch: Any | None = None) -> list[proof.Evidence]:
        """Show, on one batch and without lasting effect, what each ingredient changes now."""
        joining.require_open(self)
        return proof.collect(self, self._clean[0] if batch is None else self._reader.one(batch))

    # -- state --------------------------------------------------------------------------------------------------------

    def served_weights(self, batches: Iterable[Any] | None = None) -> AbstractContextManager[nn.Module]:
        """Let the served weights (an average, say) stand in the model for a while, then the trained ones, bit for bit.

        For metrics and checkpoints of the user's own: ``model.state_dict()`` inside are the served weights,
        ``session.state_dict()`` stays that of the training, so resuming goes on from the trained weights. Training,
        ``validate`` and ``finish`` are refused inside.

        Args:
            batches: training batches, to estimate BatchNorm's statistics for averaged weights meanwhile; without them
                the trained weights' statistics stand there, as in ``validate``.

        """
        joining.require_open(self)
        return serving.served(self, batches)

    def __reduce__(self) -> NoReturn:
        raise RecipeError(
            "a session was pickled or copied",
            "it holds hooks on its model; its state is a value",
            "Take session.state_dict() or session.snapshot(); copy.deepcopy(model) gives the plain model",
        )

    def snapshot(self) -> SessionState:
        """Return the whole training state as one value that shares nothing with the session; see ``SessionState``."""
        return checkpoint.snapshot(self)

    def restore(self, state: SessionState) -> None:
        """Go back to a ``snapshot``, bit for bit; it can be gone back to again.

        Raises:
            RecipeError: it is another recipe's, the session is finished, or serves other weights just now.

        """
        joining.require_open(self)
        checkpoint.restore(self, state)

    def state_dict(self) -> dict[str, Any]:
        """Return the whole training state (it is the checkpoint); loads with ``torch.load(weights_only=True)``."""
        return checkpoint.snapshot(self).to_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state_dict``, bit for bit; the dict stays as it is.

        Raises:
            RecipeError: see ``restore``, or the dict is no session's state.

        """
        self.restore(SessionState.from_dict(state))
