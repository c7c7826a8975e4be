"""A session: a recipe attached to a user's model and optimizer, in any loop."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from temperance.control.base import Move
from temperance.core import averaging, checkpoint, circumstances, members, proof, readings, replicas, selection, stages
from temperance.core.batch import Batch, Pass
from temperance.core.copies import PlainCopier, is_attached
from temperance.core.criterion import Criterion
from temperance.core.finite import NotFinite, OnNaN, refusal
from temperance.core.heldout import Metric
from temperance.core.intake import Intake
from temperance.core.leaves import Leaves
from temperance.core.metering import Meter
from temperance.core.optimizers import join_new, largest_rate
from temperance.core.origin import cause
from temperance.core.policy import matrices
from temperance.core.random import fold
from temperance.core.recipe import Recipe
from temperance.core.regularizer import Context, Memory, Strengths, Undo
from temperance.core.replicas import agree
from temperance.core.signal import Probe, Signal, gives
from temperance.core.solo import Solo, check_optimizer, check_sparse
from temperance.core.state import SessionState
from temperance.core.statistics import Moved
from temperance.core.wrappers import bare, forget_compiled
from temperance.records.errors import RecipeError, SettingError

_READINGS_PER_RUN = 200  # how often, about, free signals are read and steer; it bounds the log as well


class Noticed(UserWarning):
    """The user changed what is trained; the session goes along, and says so once."""


class Session:
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
            (one reading) or None (nothing). ``EarlyStopping``, ``GreedySoup`` and others that choose go first.
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
        if is_attached(self.module):
            raise RecipeError(
                "this model has a recipe attached already", "one recipe at a time", "Call session.finish() first"
            )
        check_optimizer(optimizer, model)
        self.recipe, self.model, self.optimizer = recipe, model, optimizer
        self.epochs, self.steps_per_epoch, self.seed = epochs, steps_per_epoch, seed
        self._planned = steps
        self.steps, self.epoch, self._lr_max = 0, 0, largest_rate(optimizer)
        self.trace: list[Move] = []
        self.signals: dict[str, float] = {}
        self.stopped = False
        self.readings = selection.Readings(select, max(10, (epochs or 0) // 4) if patience is None else patience)
        self._heard: set[str] = set()
        self._clean: list[Batch] = []
        self._clean_batches = clean_batches
        self.schedulers = list(scheduler) if isinstance(scheduler, (list, tuple)) else [scheduler] * bool(scheduler)
        self.left_out: list[int] = []
        self._young = 2  # steps until the replicas are compared
        self._told: list[str] = []
        self._undo: list[Undo] = []
        self._closed = ""
        self._mark = PlainCopier(self.module)
        self._own: tuple[Leaves, Moved] | None = None  # trained weights while others stand in the model
        try:
            own = members.by_owner(member_strengths or {}, recipe, self.module)
            reads = Criterion(loss, model, outputs=outputs, logits=logits)
            self._reader = Intake(model, reads, recipe.by_address, collate)
            self._wire(reads, autocast, scaler, fabric, nan, tuple(signals), own)
        except BaseException:
            self._detach()
            raise
        self._mark.seal()

    def _wire(
        self, loss: Any, autocast: torch.dtype | None, scaler: Any, fabric: Any, nan: OnNaN, own: Iterable[Signal],
        by_member: Mapping[str, Mapping[str, list[float]]],
    ) -> None:  # fmt: skip
        parts = self.recipe.by_address
        check_sparse(self.module, parts, scaler)
        device = next((p.device for p in self.module.parameters()), torch.device("cpu"))
        context = self._context(device)
        self._strengths: dict[str, Strengths] = {}
        self._memory: dict[str, Memory] = {}
        for address, one in parts.items():
            one.check(context, self.optimizer)
            self._strengths[address] = members.strengths(
                address, one.initial(context), by_member.get(address, {}), device
            )
            undo = one.rewire(self.module, self._strengths[address])
            if undo is not None:
                self._undo.append(undo)
            self._memory[address] = Memory({}, address=address, plan=one.plan(context))
        if self._undo:
            forget_compiled(self.model)
        join_new(self.module, self.optimizer)
        self.solo = Solo(
            self.model, self.optimizer, loss, parts, self._strengths, self._memory,
            autocast=autocast, scaler=scaler, fabric=fabric, nan=nan,
        )  # fmt: skip
        self._moved = Moved(self.solo.statistics)
        self._start: Tensor | None = self.solo.home.norm() if len(self.solo.home) else None
        self._tell_of_others()
        for address, one in parts.items():
            self._memory[address].update(one.begin(self.solo.home, context))
        heard = frozenset[str]().union(*(one.reads for one in parts.values()))
        judged = {"gap"} if self.readings.select else set()
        self._meter = Meter(self.recipe.controller.reads | heard | judged, own)
        if not self._meter.needs_batches:
            self._clean_batches = min(1, self._clean_batches)
        known = gives(own) | {"step", "metric"}
        self.recipe.controller.check(self._values(), self.recipe.specs, known)
        self._control = self.recipe.controller.begin(self._values(), self.recipe.specs)
        self._keeps = "keep" in self._control

    def _context(self, device: torch.device) -> Context:
        return Context(
            self.module, self._lr_max, self.steps_per_epoch, self.epochs, device, self.planned_steps or None,
            self.optimizer,
        )  # fmt: skip

    # -- the loop ---------------------------------------------------------------------------------------------------

    def step(self, batch: Any) -> Pass:
        """Train on one batch; a list of batches accumulates their gradients into one update.

        Args:
            batch: ``Batch``, ``(inputs, targets)``, names with ``labels`` among them (``Reader``), or a list of these.

        Returns:
            The (first) pass: ``loss`` (with history; use ``.detach()``), ``outputs``, ``notes``.

        """
        micros = self._reader.micros(batch)
        self._ready()
        if len(self._clean) < self._clean_batches:
            self._clean.append(micros[0])
        try:
            passed = self.solo.step(micros, fold(self.seed, self.steps))
        except NotFinite as fault:
            return self._refused(fault)
        self._after(passed)
        return passed

    def loss(self, batch: Any) -> Tensor:
        """Return the regularized loss () with history, for a loop that calls ``backward`` itself; then ``update()``.

        Called again before ``update()`` it takes the next micro-batch: other noise, gradients that add up. A technique
        that needs two backward passes is a ``RecipeError``.
        """
        parts = self.recipe.by_address.items()
        two_pass = [a for a, one in parts if one.cost.backwards > 1 and "gradient" in one.stages()]
        if two_pass:
            raise RecipeError(
                f"{', '.join(two_pass)} needs more than one backward pass per step",
                "session.loss() serves techniques with one pass",
                "Use session.step(batch), or leave the technique out",
            )
        one = self._reader.next_of(batch, len(self.solo.pending))
        self._ready()
        if len(self._clean) < self._clean_batches:
            self._clean.append(one)
        try:
            return self.solo.forward(one, fold(self.seed, self.steps)).loss
        except NotFinite as fault:
            return self._refused(fault).loss

    def update(self) -> None:
        """Apply gradient techniques, optimizer and what follows it, once ``backward`` ran; else a ``SettingError``."""
        if not self.solo.pending:
            raise SettingError(
                "session.update() was called without a loss",
                "first loss, then backward, then update",
                "Call session.loss(batch)",
            )
        self._usable()
        try:
            passed = self.solo.settle(fold(self.seed, self.steps))
        except NotFinite as fault:
            self._refused(fault)
        else:
            self._after(passed)

    def _refused(self, fault: NotFinite) -> Pass:
        """Leave the step out, or raise, as ``nan=`` says."""
        why = cause(self.solo, fault)
        if not self.solo.watch.skips:
            raise refusal(self.steps + 1, why) from None
        self.solo.leave_out()
        self.steps += 1
        if not self.left_out:
            warnings.warn(f"step {self.steps} is left out: {why}", readings.NotNumbers, stacklevel=3)
        self.left_out.append(self.steps)
        return fault.passed

    def _after(self, passed: Pass) -> None:
        self.steps += 1
        if self.solo.watch.later:
            self.solo.watch.keep(passed.loss, self.steps - 1)
        if self._young:
            self._young -= 1
            if not self._young:  # all replicas began alike, so what differs now was never synchronised
                replicas.require_same(self.solo.home)
        self._meter.watch(passed, self.solo.loss)
        if self.recipe.is_adaptive or self._meter.has_own:
            if self.steps % self._interval == 0:
                self._steer(valid=())
            if (self.steps + 1) % self._interval == 0:
                self._meter.prepare(self.probe)

    def _usable(self) -> None:
        if self._closed:
            raise RecipeError(
                f"this session {self._closed}",
                "a session trains from attach to finish, on its trained weights",
                "Attach the recipe again to train on; call this outside of served_weights()",
            )

    def _ready(self) -> None:
        """Check what the user may have changed since the last step; a microsecond where nothing was."""
        if self._closed:
            self._usable()
        solo = self.solo
        if self._start is not None:
            self._begin_again()
        if solo.holdings.grew():
            self._take_in()
        if len(solo.home) and (
            solo.holdings.replaced(solo.home.tensors)
            or solo.home.tensors[0].device != solo.device
            or solo.home.tensors[0].dtype != solo.dtype
        ):
            raise RecipeError(
                "the model's parameters were moved, cast or replaced after a recipe was attached",
                "the order is model.to(device), load_state_dict, the optimizer, torch.compile or DDP, then attach",
                "Attach after that; load_state_dict without assign=True may also come later",
            )

    def _begin_again(self) -> None:
        """Let techniques start from the weights of the first step, should others have been loaded since attach."""
        start, self._start = self._start, None
        if start is not None and not torch.equal(start, self.solo.home.norm()):
            context = self._context(self.solo.device)
            for address, one in self.recipe.by_address.items():
                self._memory[address].update(one.begin(self.solo.home, context))

    def _take_in(self) -> None:
        """Train and regularize what the user unfroze, or gave the optimizer, since the last step; tell it once."""
        new, context = self.solo.look_again(), self._context(self.solo.device)
        if new:
            for address, one in self.recipe.by_address.items():
                one.check(context, self.optimizer)
                memory = self._memory[address]
                memory.plan, old = one.plan(context), memory.plan
                begun = one.begin(self.solo.home, context)
                memory.update(grown(dict(memory), begun, one.weights(old), one.weights(memory.plan), one.by_weight))
            self.solo.compose()
            self.readings.take_in(self.solo.home)
            self._say(f"{new[0]} and {len(new) - 1} more parameters are trained and regularized from here on")
        self._tell_of_others()

    def _tell_of_others(self) -> None:
        count = self.solo.holdings.elsewhere
        if count:
            self._say(
                f"The optimizer holds {count} parameters that are not the model's (a loss's own, say): they are "
                "trained, no technique acts on them"
            )

    def _say(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.append(sentence)
            warnings.warn(sentence, Noticed, stacklevel=4)

    @property
    def _interval(self) -> int:
        """Steps from one reading of the free signals to the next; where the end is unknown they become rarer."""
        planned = self.planned_steps
        if planned:
            return -(-planned // _READINGS_PER_RUN)
        return 10 << max(0, (self.steps // (5 * _READINGS_PER_RUN)).bit_length() - 1)

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
    ) -> dict[str, float]:
        """Look at held-out rows, once an epoch: measure signals, move strengths, keep the weights that earned it.

        Both sides of the gap are measured in evaluation mode, on clean batches, at the weights that would be served.
        What is kept: see ``Readings``; ``finish`` puts it in. Batches are streamed once, unless a signal needs them.

        Args:
            batches: held-out batches, the same rows each time.
            metric: what the weights are judged by: ``loss``, ``accuracy`` or ``metric(outputs, targets)``.
            value: the user's own number for the weights that would be served now; no averages are judged then.
            better: ``lower`` or ``higher``, for a function or a value.

        Returns:
            All signals: ``valid_loss``, ``train_loss``, ``gap``, their errors, ``metric`` …

        """
        self._usable()
        self.solo.watch.look(self.steps)
        for one in self.recipe.regularizers:
            if "decays" in one.roles:  # a scheduler may have given the optimizer a decay of its own meanwhile
                one.check(self._context(self.solo.device), self.optimizer)
        self.epoch += 1
        if self.steps_per_epoch is None and self.steps:
            self.steps_per_epoch = max(1, round(self.steps / self.epoch))
        readings.look(self, batches, metric, value, better)
        return dict(self.signals)

    # -- control ------------------------------------------------------------------------------------------------------

    def probe(self, valid: Iterable[Batch] = (), reading: Mapping[str, float] = MappingProxyType({})) -> Probe:
        """Return what signals may look at now."""
        planned = self.planned_steps
        lr = max(float(group["lr"]) for group in self.optimizer.param_groups)
        self._lr_max = max(self._lr_max, largest_rate(self.optimizer))
        return Probe(
            step=self.steps,
            progress=self.steps / planned if planned else math.nan,
            epoch=self.steps / self.steps_per_epoch if self.steps_per_epoch else math.nan,
            lr_ratio=lr / self._lr_max if self._lr_max else math.nan,
            params=self.solo.home,
            served=self.served,
            train=tuple(self._clean),
            valid=tuple(valid),
            losses=self.solo.losses, counts=self.solo.loss.row_counts, gradient=self.solo.plain_gradient,
            outputs=self.solo.outputs, product=self.solo.product, matrices=matrices(self.module), reading=reading,
        )  # fmt: skip

    def _steer(self, valid: Iterable[Batch], reading: Mapping[str, float] = MappingProxyType({})) -> None:
        measured = self._meter.measure(self.probe(valid, reading))
        numbers = agree({"step": float(self.steps), **reading, **measured}, self.solo.device)
        self.signals.update(numbers)
        self._heard |= {name.split("/")[0] for name, number in numbers.items() if math.isfinite(number)}
        for address, one in self.recipe.by_address.items():
            if one.reads:
                self._memory[address].update(one.hear(numbers, self._memory[address]))
        before = self._values()
        controller, specs = self.recipe.controller, self.recipe.specs
        after, self._control = controller.steer(before, numbers, self._control, specs)
        self.trace += controller.explain(before, after, numbers, self._control, specs)
        self._set(after)
        if self._keeps and bool(np.all(self._control["keep"])):
            readings.keep_now(self)
        self.stopped = self.stopped or ("stop" in self._control and bool(np.all(self._control["stop"])))

    def _values(self) -> dict[str, Any]:
        return {f"{a}.{n}": np.asarray(v) for a, s in self._strengths.items() for n, v in (s.mirror or {}).items()}

    def _set(self, values: Mapping[str, Any]) -> None:
        for address, value in values.items():
            owner, name = address.rsplit(".", 1)
            strengths = self._strengths[owner]
            if strengths.mirror is None or name not in strengths.mirror:  # a value per member
                strengths[name].copy_(torch.as_tensor(value, dtype=strengths[name].dtype))
            elif strengths.mirror[name] != float(value):
                strengths.mirror[name] = float(value)
                strengths[name].fill_(float(value))

    @property
    def signal_seconds(self) -> dict[str, float]:
        """Seconds spent on each signal so far, by its name; they are part of the training's time."""
        return dict(self._meter.seconds)

    def signal_memory(self, name: str) -> dict[str, Any]:
        """Return what the signal of this name (``difficulty``, say) remembers; KeyError where it is not measured."""
        return self._meter.memory[name]

    @property
    def strengths(self) -> dict[str, float]:
        """Current strengths by address, e.g. ``{"dropout.p": 0.1}``."""
        return {address: float(value) for address, value in self._values().items()}

    def set_strength(self, address: str, value: float) -> None:
        """Set one strength by hand; ``SettingError`` where there is none such, or the value is outside its range."""
        specs = self.recipe.specs
        if address not in specs:
            raise SettingError(
                f"there is no strength {address!r}", f"known are {', '.join(specs) or 'none'}", "Pick one"
            )
        self._set({address: specs[address].check(address, address.rsplit(".", 1)[-1], value)})

    # -- the end ------------------------------------------------------------------------------------------------------

    @property
    def best(self) -> Leaves | None:
        """The weights that ``finish`` will put in; None where nothing was kept."""
        return self.readings.weights

    @property
    def chosen(self) -> selection.Chosen | None:
        """Which readings are in ``best`` and what they scored; None before the first."""
        return self.readings.chosen

    @property
    def served(self) -> Leaves:
        """The weights that would be shipped now."""
        return stages.served(self.recipe.by_address, self.solo.home, self._memory)

    def finish(self, batches: Iterable[Any] | None = None) -> nn.Module:
        """Put the chosen (else the served) weights in, undo the surgery, return the model in evaluation mode.

        Args:
            batches: training batches; needed where averaged weights meet BatchNorm, whose statistics are re-estimated.

        Raises:
            RecipeError: averaged weights, BatchNorm and no batches (or a used-up iterator), or it was called before.

        """
        self._usable()
        self.solo.watch.look(self.steps)
        for sentence in readings.deaf(self):
            warnings.warn(sentence, readings.NeverHeard, stacklevel=2)
        for sentence in readings.never_began(self):
            warnings.warn(sentence, readings.NeverBegan, stacklevel=2)
        readings.put(self, batches)
        if not all(bool(torch.isfinite(p).all()) for p in self.module.parameters()):
            warnings.warn(readings.NOT_NUMBERS, readings.NotNumbers, stacklevel=2)
        self._detach()
        self._closed = "is finished"
        return self.model.eval()

    def _detach(self) -> None:
        for undo in reversed(self._undo):
            undo()
        if self._undo:
            forget_compiled(self.model)
        self._undo.clear()
        self._mark.remove()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about ingredients that get on badly with each other, or with this model, and alarms so far."""
        rang = (text for a, one in self.recipe.by_address.items() for text in one.alarms(self._memory[a]))
        return (
            *self.recipe.warnings,
            *circumstances.notes(self.solo),
            *rang,
            *readings.deaf(self),
            *readings.idle(self),
            *self._told,
        )

    def explain(self) -> str:
        """Return what the recipe does (``Recipe.explain``) and what is special about it here."""
        return "\n".join([self.recipe.explain(), *(f"Here: {note}" for note in circumstances.notes(self.solo))])

    def proof(self, batch: Any | None = None) -> list[proof.Evidence]:
        """Show, on one batch and without lasting effect, what each ingredient changes now."""
        self._usable()
        return proof.collect(self, self._clean[0] if batch is None else self._reader.one(batch))

    # -- state --------------------------------------------------------------------------------------------------------

    @contextmanager
    def served_weights(self, batches: Iterable[Any] | None = None) -> Iterator[nn.Module]:
        """Let the served weights (an average, say) stand in the model for a while, then the trained ones, bit for bit.

        For metrics and checkpoints of the user's own: ``model.state_dict()`` inside are the served weights,
        ``session.state_dict()`` stays that of the training, so resuming goes on from the trained weights. Training,
        ``validate`` and ``finish`` are refused inside.

        Args:
            batches: training batches, to estimate BatchNorm's statistics for averaged weights meanwhile; without them
                the trained weights' statistics stand there, as in ``validate``.

        """
        self._usable()
        solo, served = self.solo, self.served
        first = None if batches is None else averaging.first_of(map(self._reader.one, batches))
        trained, kept = solo.home.like([p.data for p in solo.home.tensors]), Moved(solo.statistics)
        with solo.at(served):
            try:
                if first is not None and served is not solo.home:
                    averaging.refresh_statistics(self.model, self._moved.layers(), first)
                self._own, self._closed = (trained, kept), "has its served weights in the model"
                yield self.model
            finally:
                self._own, self._closed = None, ""
                kept.put_back()

    @contextmanager
    def trained_weights(self) -> Iterator[None]:
        """Let the trained weights stand in the model, also inside ``served_weights``."""
        if self._own is None:
            yield
            return
        (trained, kept), now = self._own, Moved(self.solo.statistics)
        with self.solo.at(trained):
            kept.put_back()
            try:
                yield
            finally:
                now.put_back()

    def counts(self) -> dict[str, Any]:
        """Return steps, epoch and whatever else is one number, for the checkpoint."""
        return {
            "steps": self.steps, "epoch": self.epoch, "seed": self.seed, "lr_max": self._lr_max,
            "steps_per_epoch": self.steps_per_epoch, "stopped": self.stopped, "calm": self.solo.calm,
            "left_out": list(self.left_out), "tracked": self._moved.counts(),
        }  # fmt: skip

    def take_counts(self, counts: Mapping[str, Any]) -> None:
        """Put ``counts`` back."""
        self.steps, self.epoch, self.seed = counts["steps"], counts["epoch"], counts["seed"]
        self._lr_max, self.steps_per_epoch = counts["lr_max"], counts["steps_per_epoch"]
        self.stopped, self.left_out = counts["stopped"], list(counts["left_out"])
        self.solo.calm = counts["calm"]
        self._moved.take_counts(counts["tracked"])
        self._start = None

    def snapshot(self) -> SessionState:
        """Return the whole training state as one value that shares nothing with the session; see ``SessionState``."""
        return checkpoint.snapshot(self)

    def restore(self, state: SessionState) -> None:
        """Go back to a ``snapshot``, bit for bit; it can be gone back to again.

        Raises:
            RecipeError: it is another recipe's, the session is finished, or serves other weights just now.

        """
        self._usable()
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


def grown(
    memory: Mapping[str, Any], begun: Mapping[str, Any], old: tuple[str, ...], new: tuple[str, ...],
    by_weight: frozenset[str],
) -> dict[str, Any]:  # fmt: skip
    """Return what a technique remembers when leaves have joined: of old leaves what it knew, of new ones the start.

    Args:
        memory: what it remembers.
        begun: what it would remember at its start now.
        old: names of the weights it acted on.
        new: names of the weights it acts on now.
        by_weight: entries that hold one number for each of these.

    """
    made = dict(memory)
    for name, start in begun.items():
        kept = memory.get(name)
        if isinstance(start, Leaves) and isinstance(kept, Leaves):
            both = {leaf: kept[leaf] if leaf in kept else start[leaf] for leaf in start}
            made[name] = Leaves.of(both, owned=True)
        elif name in by_weight:
            made[name] = start.clone()
            for place, weight in enumerate(new):
                if weight in old:
                    made[name][place] = memory[name][old.index(weight)]
    return made
