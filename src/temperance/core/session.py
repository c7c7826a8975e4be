"""A session: a recipe attached to a user's model and optimizer, in any loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from temperance.control.base import Move
from temperance.core import averaging, checkpoint, members, proof, stages, surroundings
from temperance.core.batch import Batch, Pass, to_batch
from temperance.core.leaves import Leaves
from temperance.core.metering import Meter
from temperance.core.policy import matrices
from temperance.core.random import fold
from temperance.core.recipe import Recipe
from temperance.core.regularizer import Context, Memory, Regularizer, Strengths, Undo
from temperance.core.replicas import agree
from temperance.core.signal import Probe, Signal
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
        member_strengths: members.Given | None = None,
    ) -> None:
        self.module = bare(model)  # ``model`` without torch.compile and the like around it; all names are its names
        if getattr(self.module, _MARK, None) is not None:
            raise RecipeError(
                "this model has a recipe attached already", "one recipe at a time", "Call session.finish() first"
            )
        check_optimizer(optimizer, model)
        self.recipe, self.model, self.optimizer = recipe, model, optimizer
        self.epochs, self.steps_per_epoch, self.seed = epochs, steps_per_epoch, seed
        self._planned = steps
        self.steps, self.epoch, self._lr_max = 0, 0, _largest_lr(optimizer)
        self.trace: list[Move] = []
        self.signals: dict[str, float] = {}
        self.stopped = False
        self.best: Leaves | None = None
        self._best_buffers: dict[str, Tensor] = {}
        self._clean: list[Batch] = []
        self._clean_batches = clean_batches
        self._undo: list[Undo] = []
        try:
            own = members.by_owner(member_strengths or {}, recipe, self.module)
            self._wire(loss, autocast, scaler, fabric, signals, own)
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
            values = one.initial(context)
            tensors = {name: torch.tensor(v, dtype=torch.float64, device=device) for name, v in values.items()}
            held = by_member.get(address, {})
            tensors |= {name: members.tensor(own_values, device) for name, own_values in held.items()}
            mirror = {name: v for name, v in values.items() if name not in held}
            self._strengths[address] = Strengths(tensors, address=address, mirror=mirror)
            undo = one.rewire(self.module, self._strengths[address])
            if undo is not None:
                self._undo.append(undo)
            self._memory[address] = Memory({}, address=address, plan=one.plan(context))
        if self._undo:
            forget_compiled(self.model)
        self._join_new_parameters()
        self.solo = Solo(
            self.model, self.optimizer, loss, parts, self._strengths, self._memory,
            autocast=autocast, scaler=scaler, fabric=fabric,
        )  # fmt: skip
        for address, one in parts.items():
            self._memory[address].update(one.begin(self.solo.home, context))
        heard = frozenset[str]().union(*(one.reads for one in parts.values()))
        self._meter = Meter(self.recipe.controller.reads | heard, own)
        if not self._meter.needs_batches:
            self._clean_batches = min(1, self._clean_batches)
        self._control = self.recipe.controller.begin(self._values(), self.recipe.specs)

    def _join_new_parameters(self) -> None:
        held = {id(p) for group in self.optimizer.param_groups for p in group["params"]}
        new = [
            p
            for n, p in self.module.named_parameters()
            if p.requires_grad and n.rsplit(".", 1)[-1].startswith("temperance_")
        ]
        new = [p for p in new if id(p) not in held]
        if new:
            self.optimizer.add_param_group({"params": new})

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

    def validate(self, batches: Iterable[Any]) -> dict[str, float]:
        """Measure the signals on held-out batches, let the controllers move the strengths, return the signals.

        Both sides of the gap are measured in evaluation mode, on clean batches, at the weights that would be served.
        """
        valid = [to_batch(one) for one in batches]
        if not valid:
            raise SettingError(
                "validate got no batches", "at least one batch of held-out rows", "Pass a loader or a list"
            )
        self.epoch += 1
        if self.steps_per_epoch is None and self.steps:
            self.steps_per_epoch = max(1, round(self.steps / self.epoch))
        self._select(valid)
        self._steer(valid=valid)
        return dict(self.signals)

    def _select(self, valid: list[Batch]) -> None:
        """Let techniques that choose among weights look at the held-out rows."""

        def score(weights: Leaves) -> float:
            return float(torch.cat([self.solo.losses(batch, weights) for batch in valid]).double().mean())

        for address, one in self.recipe.by_address.items():
            if type(one).select is not Regularizer.select:
                memory = self._memory[address]
                memory.update(one.select(self.solo.home, self._strengths[address], memory, score))

    # -- control ------------------------------------------------------------------------------------------------------

    def probe(self, valid: Iterable[Batch] = ()) -> Probe:
        """Return what signals may look at now."""
        planned = self.planned_steps
        lr = max(float(group["lr"]) for group in self.optimizer.param_groups)
        self._lr_max = max(self._lr_max, _largest_lr(self.optimizer))
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
        )

    def _steer(self, valid: Iterable[Batch]) -> None:
        probe = self.probe(valid)
        numbers = agree({"step": float(self.steps), **self._meter.measure(probe)}, self.solo.device)
        self.signals.update(numbers)
        for address, one in self.recipe.by_address.items():
            if one.reads:
                self._memory[address].update(one.hear(numbers, self._memory[address]))
        before = self._values()
        controller, specs = self.recipe.controller, self.recipe.specs
        after, self._control = controller.steer(before, numbers, self._control, specs)
        self.trace += controller.explain(before, after, numbers, self._control, specs)
        self._set(after)
        if "keep" in self._control and bool(np.all(self._control["keep"])):
            self._keep()
        self.stopped = self.stopped or ("stop" in self._control and bool(np.all(self._control["stop"])))

    def _keep(self) -> None:
        """Keep a copy of the weights that would ship now, and of the statistics that go with them."""
        if self.best is None:
            self.best = self.served.clone(owned=True)
        else:
            self.best.copy_(self.served)
        self._best_buffers = {name: b.detach().clone() for name, b in self._persistent().items()}

    def _persistent(self) -> dict[str, Tensor]:
        kept = self.module.state_dict(keep_vars=True)
        return {n: b for n, b in self.module.named_buffers() if n in kept or checkpoint.is_held(n)}

    def _values(self) -> dict[str, Any]:
        return {f"{a}.{n}": np.asarray(v) for a, s in self._strengths.items() for n, v in (s.mirror or {}).items()}

    def _set(self, values: Mapping[str, Any]) -> None:
        for address, value in values.items():
            owner, name = address.rsplit(".", 1)
            strengths = self._strengths[owner]
            if strengths.mirror is None or name not in strengths.mirror:  # a value per member
                strengths[name].copy_(torch.as_tensor(value, dtype=torch.float64))
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
        """Set one strength by hand; it is checked against its declaration."""
        specs = self.recipe.specs
        if address not in specs:
            raise SettingError(
                f"there is no strength {address!r}", f"known are {', '.join(specs) or 'none'}", "Pick one"
            )
        self._set({address: specs[address].check(address, address.rsplit(".", 1)[-1], value)})

    # -- the end ------------------------------------------------------------------------------------------------------

    @property
    def served(self) -> Leaves:
        """The weights that would be shipped now."""
        return stages.served(self.recipe.by_address, self.solo.home, self._memory)

    def finish(self, batches: Iterable[Any] | None = None) -> nn.Module:
        """Put the served (or the best) weights in, undo the surgery, return the model in evaluation mode.

        Args:
            batches: training batches; needed where averaged weights meet BatchNorm, whose statistics are re-estimated.

        Raises:
            RecipeError: averaged weights, BatchNorm and no batches.

        """
        chosen = self.best if self.best is not None else self.served
        averaged = chosen is not self.solo.home
        if averaged and self.solo.statistics and any(r.averages for r in self.recipe.regularizers):
            if batches is None:
                raise RecipeError(
                    "the weights are averaged and the model has BatchNorm, but finish() got no batches",
                    "running statistics must be estimated anew for averaged weights",
                    "Call session.finish(batches=train)",
                )
            self.solo.home.copy_(chosen)
            averaging.refresh_statistics(self.model, self.solo.statistics, (to_batch(b) for b in batches))
        elif averaged:
            self.solo.home.copy_(chosen)
            for name, buffer in self._persistent().items():
                buffer.copy_(self._best_buffers.get(name, buffer))
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
        rang = (text for a, one in self.recipe.by_address.items() for text in one.alarms(self._memory[a]))
        return (*self.recipe.warnings, *surroundings.notes(self.solo), *rang)

    def explain(self) -> str:
        """Return what the recipe does (``Recipe.explain``) and what is special about it here."""
        return "\n".join([self.recipe.explain(), *(f"Here: {note}" for note in surroundings.notes(self.solo))])

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


def _largest_lr(optimizer: torch.optim.Optimizer) -> float:
    """Return the largest rate that is known: schedulers that warm up leave it in ``max_lr`` or ``initial_lr``."""
    names = ("lr", "initial_lr", "max_lr")
    return max(float(group[name]) for group in optimizer.param_groups for name in names if name in group)
