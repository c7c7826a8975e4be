"""A session: a recipe attached to a user's model and optimizer, in any loop."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from temperance.control.base import Move
from temperance.core import checkpoint, members, proof, readings, stages, surroundings
from temperance.core.batch import Batch, Pass, to_batch
from temperance.core.heldout import Metric
from temperance.core.leaves import Leaves
from temperance.core.metering import Meter
from temperance.core.optimizers import join_new, largest_rate
from temperance.core.policy import matrices
from temperance.core.random import fold, pulse
from temperance.core.recipe import Recipe
from temperance.core.regularizer import Context, Memory, Strengths, Undo
from temperance.core.replicas import agree
from temperance.core.sharding import refuse_sharded
from temperance.core.signal import Probe, Signal, gives
from temperance.core.solo import Solo, check_optimizer
from temperance.core.wrappers import bare, forget_compiled
from temperance.records.errors import RecipeError, SettingError

_MARK = "_temperance_session"
_READINGS_PER_RUN = 200  # how often, about, free signals are read and steer; it bounds the log as well


class Session:
    """A recipe attached to a model and an optimizer.

    Args:
        recipe: what to attach.
        model: the user's module, already on its device; it may be compiled; rewired in place until ``finish``.
        optimizer: a ``torch.optim`` optimizer over its parameters.
        loss: ``loss(outputs, targets)`` → (b,) (best) or ().
        epochs: planned epochs; with ``steps_per_epoch`` it gives signals their ``progress``.
        steps_per_epoch: optimizer steps per epoch; learnt at the first ``validate`` where not given.
        steps: planned optimizer steps, where they are not epochs times steps per epoch.
        seed: seed of all noise.
        autocast: dtype for ``torch.autocast``, e.g. ``torch.bfloat16``.
        scaler: a ``torch.amp.GradScaler``; every pass of a step is unscaled, an overflow skips the update.
        fabric: a Lightning Fabric whose ``backward`` is used.
        clean_batches: how many training batches are kept for the gap and other signals.
        signals: signals to measure besides those that controllers read, e.g. ``[Sharpness(every=5)]``.
        member_strengths: values (k,) by address for the members of a net that has them; held, no controller moves them.
        select: what ``validate`` keeps for ``finish``: ``average`` (the mean of the readings that earned it), ``best``
            (one reading) or None (nothing). ``EarlyStopping``, ``GreedySoup`` and others that choose go first.
        patience: readings without a better one until ``stopped`` is set; a quarter of ``epochs``, 10 at least.

    Raises:
        RecipeError: the recipe cannot work on this model or optimizer, or a recipe is attached already.

    """

    def __init__(
        self,
        recipe: Recipe,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        loss: Callable[[Any, Any], Tensor],
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        steps: int | None = None,
        seed: int = 0,
        autocast: torch.dtype | None = None,
        scaler: Any = None,
        fabric: Any = None,
        clean_batches: int = 4,
        signals: Iterable[Signal] = (),
        select: readings.Select | None = "average",
        patience: int | None = None,
        member_strengths: members.Given | None = None,
    ) -> None:
        self.module = bare(model)  # ``model`` without torch.compile and the like around it; all names are its names
        if getattr(self.module, _MARK, None) is not None:
            raise RecipeError(
                "this model has a recipe attached already", "one recipe at a time", "Call session.finish() first"
            )
        refuse_sharded(model)
        check_optimizer(optimizer, model)
        self.recipe, self.model, self.optimizer = recipe, model, optimizer
        self.epochs, self.steps_per_epoch, self.seed = epochs, steps_per_epoch, seed
        self._planned = steps
        self.steps, self.epoch, self._lr_max = 0, 0, largest_rate(optimizer)
        self.trace: list[Move] = []
        self.signals: dict[str, float] = {}
        self.stopped = False
        self.readings = readings.Readings(select, max(10, (epochs or 0) // 4) if patience is None else patience)
        self._heard: set[str] = set()
        self._clean: list[Batch] = []
        self._clean_batches = clean_batches
        self._undo: list[Undo] = []
        try:
            own = members.by_owner(member_strengths or {}, recipe, self.module)
            self._wire(loss, autocast, scaler, fabric, tuple(signals), own)
        except BaseException:
            self._detach()
            raise
        setattr(self.module, _MARK, self.seed)

    def _wire(
        self, loss: Any, autocast: torch.dtype | None, scaler: Any, fabric: Any, own: Iterable[Signal],
        by_member: Mapping[str, Mapping[str, list[float]]],
    ) -> None:  # fmt: skip
        parts = self.recipe.by_address
        device = next((p.device for p in self.module.parameters()), torch.device("cpu"))
        context = Context(
            self.module, self._lr_max, self.steps_per_epoch, self.epochs, device, self.planned_steps or None
        )
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
            autocast=autocast, scaler=scaler, fabric=fabric,
        )  # fmt: skip
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

    # -- the loop ---------------------------------------------------------------------------------------------------

    def step(self, batch: Any) -> Pass:
        """Train on one batch; a list of batches accumulates their gradients into one update.

        Args:
            batch: ``Batch``, ``(inputs, targets)``, a dict with these keys, or a list of such micro-batches.

        Returns:
            The (first) pass: ``loss`` (with history; use ``.detach()``), ``outputs``, ``notes``.

        """
        micros = [to_batch(one) for one in batch] if _is_list(batch) else [to_batch(batch)]
        if len(self._clean) < self._clean_batches:
            self._clean.append(micros[0])
        passed = self.solo.step(micros, fold(self.seed, self.steps))
        self._after(passed)
        return passed

    def loss(self, batch: Any) -> Tensor:
        """Return the regularized loss (with history) for a loop that calls ``backward`` itself; then ``update()``.

        Called again before ``update()`` it takes the next micro-batch: other noise, gradients that add up.
        """
        parts = self.recipe.by_address.items()
        two_pass = [a for a, one in parts if one.cost.backwards > 1 and "gradient" in one.stages()]
        if two_pass:
            raise RecipeError(
                f"{', '.join(two_pass)} needs more than one backward pass per step",
                "session.loss() serves techniques with one pass",
                "Use session.step(batch), or leave the technique out",
            )
        one = to_batch(batch)
        if len(self._clean) < self._clean_batches:
            self._clean.append(one)
        return self.solo.forward(one, fold(self.seed, self.steps)).loss

    def update(self) -> None:
        """Apply gradient techniques, the optimizer and what comes after it, once the user's ``backward`` ran."""
        if not self.solo.pending:
            raise SettingError(
                "session.update() was called without a loss",
                "first loss, then backward, then update",
                "Call session.loss(batch)",
            )
        self._after(self.solo.settle(fold(self.seed, self.steps)))

    def _after(self, passed: Pass) -> None:
        self.steps += 1
        self._meter.watch(passed, self.solo.loss)
        if self.recipe.is_adaptive or self._meter.has_own:
            if self.steps % self._interval == 0:
                self._steer(valid=())
            if (self.steps + 1) % self._interval == 0:
                self._meter.prepare(self.probe)

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
            losses=self.solo.losses,
            gradient=self.solo.plain_gradient,
            outputs=self.solo.outputs,
            product=self.solo.product,
            matrices=matrices(self.module),
            reading=reading,
        )

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
                strengths[name].copy_(torch.as_tensor(value, dtype=torch.float64))
            elif strengths.mirror[name] != float(value):
                strengths.move(name, float(value))

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
        """Set one strength by hand; it is checked against its declaration."""
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
    def chosen(self) -> readings.Chosen | None:
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
            RecipeError: averaged weights, BatchNorm and no batches.

        """
        for sentence in readings.deaf(self):
            warnings.warn(sentence, readings.NeverHeard, stacklevel=2)
        readings.put(self, batches)
        if not all(bool(torch.isfinite(p).all()) for p in self.module.parameters()):
            warnings.warn(readings.NOT_NUMBERS, readings.NotNumbers, stacklevel=2)
        self._detach()
        return self.model.eval()

    def _detach(self) -> None:
        for undo in reversed(self._undo):
            undo()
        if self._undo:
            forget_compiled(self.model)
        self._undo.clear()
        with suppress(AttributeError):
            delattr(self.module, _MARK)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about ingredients that get on badly with each other, or with this model, and alarms so far."""
        return (*self.recipe.warnings, *surroundings.told(self.solo), *readings.deaf(self), *readings.idle(self))

    def noise(self) -> AbstractContextManager[None]:
        """Give the coming step's noise to passes in training mode by hand: ``with session.noise(): model(x)``."""
        return pulse(fold(self.seed, self.steps))

    def explain(self) -> str:
        """Return what the recipe does (``Recipe.explain``) and what is special about it here."""
        return "\n".join([self.recipe.explain(), *(f"Here: {note}" for note in surroundings.told(self.solo))])

    def proof(self, batch: Any | None = None) -> list[proof.Evidence]:
        """Show, on one batch and without lasting effect, what each ingredient changes now."""
        return proof.collect(self, self._clean[0] if batch is None else to_batch(batch))

    def state_dict(self) -> dict[str, Any]:
        """Return the whole training state (it is the checkpoint); loads with ``torch.load(weights_only=True)``."""
        return checkpoint.state_of(self)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state_dict``, bit for bit."""
        checkpoint.restore(self, state)


def _is_list(batch: Any) -> bool:
    return isinstance(batch, list) and bool(batch) and not isinstance(batch[0], Tensor)
