"""The solo executor: the user's module and optimizer, ``.backward()`` on its leaves, in place behind pure verbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from temperance.core import stages
from temperance.core.additivity import Additivity
from temperance.core.attention import plain_attention
from temperance.core.batch import ANSWERS_ONLY, Batch, Pass, call, joined, measure, part_of, per_row
from temperance.core.criterion import Criterion, Loss
from temperance.core.elsewhere import elsewhere
from temperance.core.embedding import Seam
from temperance.core.finite import NotFinite, OnNaN, Watch, finite
from temperance.core.holdings import Holdings, require_sync
from temperance.core.intake import require_plain
from temperance.core.leaves import Leaves
from temperance.core.micros import Micros
from temperance.core.misfits import FAULTS, blame, fitting
from temperance.core.nest import detached
from temperance.core.objective import PlainObjective
from temperance.core.opening import Opening
from temperance.core.optimizers import step_as_it_is, step_at
from temperance.core.policy import trainable
from temperance.core.random import Pulse, fold, pulsing
from temperance.core.recomputation import follow_checkpoints
from temperance.core.regularizer import Memory, Rate, Regularizer, Strengths
from temperance.core.replicas import average, rank
from temperance.core.scaling import Scaling
from temperance.core.statistics import Kept, evaluating, unchanged
from temperance.core.taught import Taught
from temperance.core.wrappers import bare, uncompiled
from temperance.records.errors import RecipeError


class Solo:
    """Runs one model. Built by ``Session`` after the model was rewired; holds no settings of its own."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        loss: Loss | Criterion | None,
        parts: Mapping[str, Regularizer],
        strengths: Mapping[str, Strengths],
        memory: Mapping[str, Memory],
        *,
        autocast: torch.dtype | None,
        scaler: Any,
        backward: Callable[[Tensor], Any] | None = None,
        nan: OnNaN = "raise",
    ) -> None:
        follow_checkpoints()
        self.model, self.optimizer = model, optimizer
        self.loss = loss if isinstance(loss, Criterion) else Criterion(loss, model)
        self.parts, self.strengths, self.memory = parts, strengths, memory
        self.autocast, self.scaler, self.backward = autocast, scaler, backward
        self.scaling = Scaling(scaler)
        self._find_leaves()
        self.device = self.home.tensors[0].device if len(self.home) else torch.device("cpu")
        self.dtype = self.home.tensors[0].dtype if len(self.home) else torch.float32
        # under a scaler a loss that overflows is no fault: the update is skipped and the scale halved
        self.watch = Watch("ignore" if scaler is not None else nan, self.device)
        self.on_nan = nan
        self.statistics = [m for m in model.modules() if getattr(m, "running_mean", None) is not None]
        self.has_gradient_stage = any("gradient" in one.stages() for one in parts.values())
        self.compose()
        self._nothing = torch.zeros((), device=self.device)
        self.rank = rank()
        self._ready: tuple[Leaves, Pass] | None = None
        self._before = Kept(())
        self._taught, self._additivity = Taught(memory), Additivity(self.loss)
        self._micros: Micros | None = None  # of an update of several, while it runs
        self.pending: list[tuple[Pass, Batch]] = []  # passes whose backward is the user's, until ``settle``
        self.made: Pass | NotFinite | None = None  # what ``gradients`` gave, until ``apply``
        self.seam: Seam | None = None  # for techniques that move inputs
        self.opening: Opening | None = None  # watches the first step
        self.left: tuple[int, int] | None = None  # a leaf, and how often its gradient was written by the last update
        self._gate = getattr(optimizer, "gradient_state", None)  # accelerate's: its optimizer may do nothing

    def _find_leaves(self) -> None:
        named = trainable(bare(self.model))
        self.home = Leaves(named.keys(), named.values(), owned=True)
        self.holdings = Holdings(self.optimizer, bare(self.model), self.home.tensors)
        self._pattern: tuple[bool, ...] = ()
        self._grad_names: tuple[str, ...] = ()
        wrapped = isinstance(self.model, DistributedDataParallel)
        # DDP synchronises what it found when it was built; parameters that techniques brought came after that
        brought = [p for n, p in named.items() if n.rsplit(".", 1)[-1].startswith("temperance_")]
        self._unsynchronised = brought if wrapped else []

    def compose(self) -> None:
        """Wrap the plain functions in the techniques, as their plans are now."""
        innermost = PlainObjective(self.plain, self.loss, is_entropy=self.loss.is_entropy)
        self.objective = stages.objective(self.parts, innermost, self.strengths, self.memory)
        self.gradient = stages.gradient(self.parts, self._backward, self.strengths, self.memory)
        self.update = stages.update(self.parts, self._optimize, self.strengths, self.memory)

    def look_again(self) -> tuple[str, ...]:
        """Take in what the user unfroze or gave the optimizer since; return the names of the new leaves."""
        before = set(self.home.names)
        self._find_leaves()
        return tuple(name for name in self.home.names if name not in before)

    # -- one step -------------------------------------------------------------------------------------------------

    def step(self, micros: Sequence[Batch], key: int) -> Pass:
        """Run gradient and update on one batch, or on micro-batches whose gradients add up."""
        grads, passed = self._made(micros, key)
        self._finish(grads, passed, micros[0], key)
        return passed

    def gradients(self, micros: Sequence[Batch], key: int) -> Pass:
        """Run the gradient stage alone; what it made stands in ``.grad`` until ``apply``."""
        grads, self.made = self._made(micros, key)
        self._place(grads)
        return self.made

    def apply(self, passed: Pass, key: int) -> Pass:
        """Update by the gradients that stand in ``.grad``; the user may have clipped them."""
        batch = passed.batch[0] if isinstance(passed.batch, list) else passed.batch
        self._finish(self._collect(), passed, batch, key)
        return passed

    def _made(self, micros: Sequence[Batch], key: int) -> tuple[Leaves, Pass]:
        self.pending, self.made = [], None  # of a loss that nobody updated by: its gradients go as with ``zero_grad``
        self.scaling.overflow = False
        self._taught.put_back()
        try:
            if self.on_nan != "skip":
                return self.gradient(self.home, {}, micros, key)
            self._remember_statistics()
            grads, passed = self.gradient(self.home, {}, micros, key)
            self._require_finite(grads, micros[0], passed, key)
        except BaseException:
            self._taught.put_back()
            raise
        return grads, passed

    def _remember_statistics(self) -> None:
        if self.on_nan == "skip":
            self._before = Kept(self.statistics)

    def _require_finite(self, grads: Leaves, batch: Batch, passed: Pass, key: int) -> None:
        if self.watch.skips and not finite([*grads.tensors, *self.holdings.gradients()]):
            raise NotFinite(batch, passed, key)

    def leave_out(self) -> None:
        """Undo what a step did that must not count: running statistics and gradients; weights did not move yet."""
        self.pending, self._ready, self.made = [], None, None
        self._before.put_back()
        self._taught.put_back()
        for p in self.home.tensors:
            p.grad = None
        self.holdings.forget_gradients()

    def forward(self, batch: Batch, key: int) -> Pass:
        """Run the objective alone, for a loop that owns its backward; again before ``settle``: the next micro-batch."""
        if self.pending:
            self._taught.begin()
            self._settle(self.pending[-1][0])
        else:
            self._remember_statistics()
        own = fold(key, len(self.pending)) if self.pending else key
        passed = self._objective(batch, own)
        if not self.watch.skips and self.watch.refuses(passed.loss):
            raise NotFinite(batch, passed, own)
        if passed.loss.requires_grad:  # else nobody can train on it
            told = passed._replace(
                loss=passed.loss.detach(), outputs=detached(passed.outputs), raw=detached(passed.raw)
            )
            self.pending.append((told, batch))  # without its history: nobody may ever call ``update``
        return passed

    def settle(self, key: int) -> Pass:
        """Take the gradients that the user's backward left (scaled, where there is a scaler), and update."""
        self.scaling.overflow = False
        passes, batches = zip(*self.pending, strict=True)
        self.pending = []
        self._ready = (self._collect(), passes[0] if len(passes) == 1 else joined(passes, self.loss.shares(batches)))
        if self.scaler is not None:
            self.scaling.unscale(self._ready[0], self.holdings)
        grads, passed = self.gradient(self.home, {}, (), key)
        self._ready = None
        self._require_finite(grads, batches[0], passed, key)
        self._finish(grads, passed, batches[0], key)
        return passed

    def _finish(self, grads: Leaves, passed: Pass, batch: Batch, key: int) -> None:
        if self.scaler is not None and self.scaling.overflowed(grads, self.holdings):
            if self.scaling.is_hopeless and self.on_nan != "ignore":
                raise NotFinite(batch, passed, key)
            if self.on_nan == "skip":
                self.leave_out()
            self._taught.put_back()
            return
        self._taught.keep()
        if passed.memory:
            self._settle(passed)
        if self.has_gradient_stage:
            self._place(grads)
        self._rate = self.rate()
        self.update(self.home, grads, self._rate)

    def _place(self, grads: Leaves) -> None:
        for p, grad in zip(self.home.part(grads.names).tensors, grads.tensors, strict=True):
            if p.grad is not grad:
                p.grad = grad

    def _settle(self, passed: Pass) -> None:
        for address, values in passed.memory.items():
            self.memory[address].update(values)

    def rate(self) -> Rate:
        """Return the learning rate: one number, or one per leaf where parameter groups differ."""
        groups = self.optimizer.param_groups
        first = groups[0]["lr"]
        if len(groups) == 1 or all(group["lr"] is first or group["lr"] == first for group in groups[1:]):
            return float(first) if isinstance(first, Tensor) else first  # type: ignore[no-any-return]
        by_leaf = {id(p): float(group["lr"]) for group in groups for p in group["params"]}
        return [by_leaf.get(id(p), 0.0) for p in self.home.tensors]

    # -- the innermost functions ----------------------------------------------------------------------------------

    def plain(self, params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
        """Run the model and the user's loss, without any technique of the objective."""
        if params is not self.home:  # a teacher with weights of its own: it is asked for its outputs alone
            with self.at(params), unchanged(self.statistics), torch.no_grad(), self._precision():
                outputs, seen = self.loss.paired(self.loss.read(call(self.model, self.loss.asked(batch))), batch)
            return Pass(self._nothing, outputs, {}, {}, {}, seen)
        with self._precision():
            raw = self._answer(batch)
            value = self._nothing if batch.targets is ANSWERS_ONLY else measure(self.loss, raw, batch)
        batch = batch if self._micros is None else self._micros.on(batch)
        loss, is_told = self.loss, self.loss.learnt is None or batch.convention is self.loss.learnt
        if is_told and isinstance(raw, Tensor) and loss.is_plain and (raw.dim() != 3 or loss.shifts is False):
            return Pass(value, raw, {}, {}, {}, batch)
        outputs, seen = loss.paired(loss.read(raw), batch)
        if not is_told:
            require_plain(self.parts, seen)
        return Pass(value, outputs, {}, {}, {}, seen, raw)

    def _answer(self, batch: Batch) -> Any:
        """Call the model, with the labels where it computes its own loss."""
        inputs = batch.inputs if self.loss.loss is not None else self.loss.inputs(batch)
        return self.model(inputs) if isinstance(inputs, Tensor) else call(self.model, inputs)

    def _backward(self, params: Leaves, buffers: Any, micros: Sequence[Batch], key: int) -> tuple[Leaves, Pass]:
        if self._ready is not None:
            return self._ready
        if params is self.home:
            grads, passed = self._summed(micros, key, settles=True)
        else:
            with self.at(params, keep_statistics=True):
                grads, passed = self._summed(micros, key, settles=False)
        if self.scaler is not None:
            self.scaling.unscale(grads, self.holdings)
        return grads, passed

    def _summed(self, micros: Sequence[Batch], key: int, *, settles: bool) -> tuple[Leaves, Pass]:
        """Return the gradients of all micro-batches added up; where it ``settles``, what one taught the next knows."""
        for p in self.home.tensors:
            p.grad = None
        if self.holdings.foreign:
            self.holdings.forget_gradients()
        if len(micros) == 1:
            passed = self._one(micros[0], key)
            return self._collect(), passed
        if settles:
            self._taught.begin()
        parts = self._micros = Micros(micros, self.loss)
        passes: list[Pass] = []
        try:
            for j in range(len(micros)):
                if passes and settles:
                    self._settle(passes[-1])
                parts.at = j
                waits = j + 1 < len(micros) and hasattr(self.model, "no_sync")
                with self.model.no_sync() if waits else nullcontext():  # type: ignore[operator]
                    passes.append(self._one(micros[j], fold(key, j) if j else key))
        finally:
            self._micros = None
        self._additivity.look(passes, micros)
        return self._collect(), joined(passes, parts.shares)

    def _one(self, batch: Batch, key: int) -> Pass:
        passed = self._objective(batch, key)
        value = passed.loss if self._micros is None else part_of(passed.loss, self._micros.shares[self._micros.at])
        if self.watch.refuses(value):  # of its share: a micro-batch in which nothing counts has the mean of nothing
            raise NotFinite(batch, passed, key)
        if not value.requires_grad:
            raise RecipeError(
                "the loss does not depend on any parameter that is trained",
                f"the model has {len(self.home)} trained now",
                "Unfreeze what shall learn, and look for no_grad or detach in forward and loss",
            )
        if self.scaler is not None:
            value = self.scaler.scale(value)
        (self.backward or Tensor.backward)(value)
        return passed

    def _objective(self, batch: Batch, key: int) -> Pass:
        own = fold(key, self.rank) if self.rank else key
        one = Pulse(own)
        under = pulsing(one) if self.opening is None else self.opening.over(one)
        try:
            with under:
                return self.objective(self.home, {}, batch if self.seam is None else self.seam.on(batch), own)
        except FAULTS as fault:
            blame(fault, batch, self.loss.convention)
            raise

    def _collect(self) -> Leaves:
        if self._unsynchronised:
            average([p.grad for p in self._unsynchronised if p.grad is not None])
        mask = self.holdings.mask
        if mask is None:
            found = [g for p in self.home.tensors if (g := p.grad) is not None]
            if len(found) == len(self.home.tensors):
                return Leaves(self.home.names, found, owned=True)
        # what the optimizer does not hold it will not move, so nobody may
        held = mask or [True] * len(self.home.tensors)
        grads = [p.grad if mine else None for p, mine in zip(self.home.tensors, held, strict=True)]
        found = [g for g in grads if g is not None]
        pattern = tuple(g is not None for g in grads)
        if pattern != self._pattern:  # one tuple per pattern, so that who asks for these names finds them again
            self._pattern = pattern
            self._grad_names = tuple(n for n, there in zip(self.home.names, pattern, strict=True) if there)
        return Leaves(self._grad_names, found, owned=True)

    def _optimize(self, params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
        if self._gate is not None:
            require_sync(self._gate)
        step_as_it_is(self.optimizer) if rate is self._rate else step_at(self.optimizer, self.home.tensors, rate)
        return params

    def _precision(self) -> Any:
        return nullcontext() if self.autocast is None else torch.autocast(self.device.type, dtype=self.autocast)

    def at(self, params: Leaves, *, keep_statistics: bool = False) -> elsewhere:
        """Let the module stand at other numbers meanwhile; see ``elsewhere``."""
        return elsewhere(self.home, params, self.statistics if keep_statistics else ())

    def losses(self, batch: Batch, params: Leaves) -> Tensor:
        """Return the plain loss per example (b,) in evaluation mode; (1,) where the loss gives one number."""
        return self.answers(batch, params)[1]

    def answers(self, batch: Batch, params: Leaves) -> tuple[Any, Tensor]:
        """Return what the model gives in evaluation mode, without gradient, and the losses as ``losses`` does.

        Shapes: outputs (b, …), losses (b,) or (1,).
        """
        on_batch = fitting(batch, self.loss.convention)
        with on_batch, self.at(params), evaluating(self.model), torch.no_grad(), self._precision():
            raw = call(self.model, self.loss.inputs(batch))
            value = self.loss(raw, batch.targets).detach().float()
            value = self.loss.of_rows(per_row(value, self.loss.current(batch)), batch)
        return self.loss.read(raw), value

    def outputs(self, batch: Batch, params: Leaves) -> Any:
        """Return what the model gives in evaluation mode, without gradient."""
        with self.at(params), evaluating(self.model), torch.no_grad(), self._precision():
            return self.loss.read(call(self.model, self.loss.asked(batch)))

    def product(self, batch: Batch, direction: Leaves) -> Leaves:
        """Return the Hessian of the plain loss at the trained weights, in evaluation mode, times a direction."""
        # no second derivative: fused attention, cuDNN's RNN, compiled modules
        no_cudnn = torch.backends.cudnn.flags(enabled=False)
        with evaluating(self.model), torch.enable_grad(), plain_attention(), no_cudnn, uncompiled():
            value = measure(self.loss, call(self.model, self.loss.inputs(batch)), batch)
            live = self._live()
            first = torch.autograd.grad(value, live.tensors, create_graph=True, allow_unused=True)
            pairs = zip(first, direction.part(live.names).tensors, strict=True)
            used = [(g, v) for g, v in pairs if g is not None and g.requires_grad]
            along = torch.stack([(g * v).sum() for g, v in used]).sum() if used else None
            second = () if along is None else torch.autograd.grad(along, live.tensors, allow_unused=True)
        return Leaves(self.home.names, self._whole(live.names, second or [None] * len(live)), owned=True)

    def _whole(self, names: Sequence[str], tensors: Sequence[Tensor | None]) -> list[Tensor]:
        """Return one tensor per leaf, zeros where none is given. Shapes: those of the leaves."""
        found = dict(zip(names, tensors, strict=True))
        return [torch.zeros_like(p) if (g := found.get(name)) is None else g for name, p in self.home.items()]

    def _live(self) -> Leaves:
        """Return the leaves that can have a gradient now; the user may have frozen some since."""
        return self.home.part(tuple(n for n, p in self.home.items() if p.requires_grad))

    def plain_gradient(self, batch: Batch) -> Leaves:
        """Return the gradient of the plain loss in evaluation mode; the module's ``.grad`` stays as it is."""
        with evaluating(self.model), torch.enable_grad(), self._precision():
            value = measure(self.loss, call(self.model, self.loss.inputs(batch)), batch)
            live = self._live()
            kept = self._whole(live.names, torch.autograd.grad(value, live.tensors, allow_unused=True))
        return Leaves(self.home.names, [g.to_dense() if g.is_sparse else g for g in kept], owned=True)
