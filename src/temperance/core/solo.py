"""The solo executor: the user's module and optimizer, ``.backward()`` on its leaves, in place behind pure verbs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from temperance.core import stages
from temperance.core.attention import plain_attention
from temperance.core.batch import Batch, Pass, call, map_leaves, measure, reduce
from temperance.core.leaves import Leaves
from temperance.core.plain import Plain
from temperance.core.policy import trainable
from temperance.core.random import fold, pulse
from temperance.core.recomputation import follow_checkpoints
from temperance.core.regularizer import Memory, Rate, Regularizer, Strengths
from temperance.core.replicas import rank
from temperance.core.statistics import unchanged
from temperance.core.wrappers import bare, uncompiled
from temperance.records.errors import RecipeError

Loss = Callable[[Any, Any], Tensor]


class Solo:
    """Runs one model. Built by ``Session`` after the model was rewired; holds no settings of its own."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        loss: Loss,
        parts: Mapping[str, Regularizer],
        strengths: Mapping[str, Strengths],
        memory: Mapping[str, Memory],
        *,
        autocast: torch.dtype | None,
        scaler: Any,
        fabric: Any,
    ) -> None:
        follow_checkpoints()
        self.model, self.optimizer, self.loss = model, optimizer, loss
        self.parts, self.memory = parts, memory
        self.autocast, self.scaler, self.fabric = autocast, scaler, fabric
        named = trainable(bare(model))
        self.home = Leaves(named.keys(), named.values(), owned=True)
        self.device = self.home.tensors[0].device if len(self.home) else torch.device("cpu")
        self.statistics = [m for m in model.modules() if getattr(m, "running_mean", None) is not None]
        self.has_gradient_stage = any("gradient" in one.stages() for one in parts.values())
        self.objective = stages.objective(parts, Plain(self._plain, loss), strengths, memory)
        self.gradient = stages.gradient(parts, self._backward, strengths, memory)
        self.update = stages.update(parts, self._optimize, strengths, memory)
        self._nothing = torch.zeros((), device=self.device)
        self.rank = rank()
        self.overflow, self._calm = False, 0
        self._pattern: tuple[bool, ...] = ()
        self._grad_names: tuple[str, ...] = ()
        self._ready: tuple[Leaves, Pass] | None = None
        self.pending: list[tuple[Pass, Batch]] = []  # passes whose backward is the user's, until ``settle``

    # -- one step -------------------------------------------------------------------------------------------------

    def step(self, micros: Sequence[Batch], key: int) -> Pass:
        """Run gradient and update on one batch, or on micro-batches whose gradients add up."""
        self.overflow = False
        grads, passed = self.gradient(self.home, {}, micros, key)
        self._finish(grads, passed)
        return passed

    def forward(self, batch: Batch, key: int) -> Pass:
        """Run the objective alone, for a loop that owns its backward; again before ``settle``: the next micro-batch."""
        if self.pending:
            self._settle(self.pending[-1][0])
        passed = self._objective(batch, fold(key, len(self.pending)) if self.pending else key)
        if passed.loss.requires_grad:  # else nobody can train on it
            told = passed._replace(loss=passed.loss.detach(), outputs=map_leaves(Tensor.detach, passed.outputs))
            self.pending.append((told, batch))  # without its history: nobody may ever call ``update``
        return passed

    def settle(self, key: int) -> Pass:
        """Take the gradients that the user's backward left (scaled, where there is a scaler), and update."""
        self.overflow = False
        passes, batches = zip(*self.pending, strict=True)
        self.pending = []
        self._ready = (self._collect(), passes[0] if len(passes) == 1 else _joined(passes, batches))
        if self.scaler is not None:
            self._unscale(self._ready[0])
        grads, passed = self.gradient(self.home, {}, (), key)
        self._ready = None
        self._finish(grads, passed)
        return passed

    def _finish(self, grads: Leaves, passed: Pass) -> None:
        if self.scaler is not None and self._overflowed(grads):
            return
        self._settle(passed)
        if self.has_gradient_stage:
            for p, grad in zip(self.home.part(grads.names).tensors, grads.tensors, strict=True):
                if p.grad is not grad:
                    p.grad = grad
        self.update(self.home, grads, self.rate())

    def _settle(self, passed: Pass) -> None:
        for address, values in passed.memory.items():
            self.memory[address].update(values)

    def rate(self) -> Rate:
        """Return the learning rate: one number, or one per leaf where parameter groups differ."""
        groups = self.optimizer.param_groups
        first = groups[0]["lr"]
        if all(group["lr"] is first or group["lr"] == first for group in groups[1:]):
            return float(first) if isinstance(first, Tensor) else first  # type: ignore[no-any-return]
        by_leaf = {id(p): float(group["lr"]) for group in groups for p in group["params"]}
        return [by_leaf.get(id(p), 0.0) for p in self.home.tensors]

    # -- the innermost functions ----------------------------------------------------------------------------------

    def _plain(self, params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
        if params is not self.home:  # a teacher with weights of its own: it is asked for its outputs alone
            with self.at(params), unchanged(self.statistics), torch.no_grad(), self._precision():
                outputs = call(self.model, batch.inputs)
            return Pass(self._nothing, outputs, {}, {}, {}, batch)
        with self._precision():
            outputs = call(self.model, batch.inputs)
            value = measure(self.loss, outputs, batch)
        return Pass(value, outputs, {}, {}, {}, batch)

    def _backward(self, params: Leaves, buffers: Any, micros: Sequence[Batch], key: int) -> tuple[Leaves, Pass]:
        if self._ready is not None:
            return self._ready
        elsewhere = params is not self.home
        with self.at(params, keep_statistics=True) if elsewhere else nullcontext():
            for p in self.home.tensors:
                p.grad = None
            total = sum(micro.size for micro in micros) if len(micros) > 1 else 1
            passes: list[Pass] = []
            for j, micro in enumerate(micros):
                if passes and not elsewhere:
                    self._settle(passes[-1])  # what one micro-batch taught, the next one knows
                passes.append(
                    self._one(
                        micro,
                        fold(key, j) if j else key,
                        micro.size / total if total > 1 else 1.0,
                        j + 1 == len(micros),
                    )
                )
            grads = self._collect()
        if self.scaler is not None:
            self._unscale(grads)
        return grads, passes[0] if len(passes) == 1 else _joined(passes, micros)

    def _one(self, batch: Batch, key: int, share: float, is_last: bool) -> Pass:
        wait = nullcontext() if is_last or not hasattr(self.model, "no_sync") else self.model.no_sync()  # type: ignore[operator]
        with wait:
            passed = self._objective(batch, key)
            value = passed.loss if share == 1.0 else passed.loss * share
            if self.scaler is not None:
                value = self.scaler.scale(value)
            if self.fabric is not None:
                self.fabric.backward(value)
            else:
                value.backward()  # type: ignore[no-untyped-call]
        return passed

    def _objective(self, batch: Batch, key: int) -> Pass:
        own = fold(key, self.rank) if self.rank else key
        with pulse(own):
            return self.objective(self.home, {}, batch, own)

    def _collect(self) -> Leaves:
        grads = [p.grad for p in self.home.tensors]
        pattern = tuple(g is not None for g in grads)
        if pattern != self._pattern:
            self._pattern = pattern
            self._grad_names = tuple(n for n, there in zip(self.home.names, pattern, strict=True) if there)
        return Leaves(self._grad_names, [g for g in grads if g is not None], owned=True)

    def _optimize(self, params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
        self.optimizer.step()
        return params

    def _unscale(self, grads: Leaves) -> None:
        grads.mul_(1.0 / self.scaler.get_scale())
        self.overflow = self.overflow or not bool(torch.isfinite(grads.norm()))

    def _overflowed(self, grads: Leaves) -> bool:
        scale = self.scaler.get_scale()
        self.overflow = self.overflow or not bool(torch.isfinite(grads.norm()))
        if self.overflow:
            self.scaler.update(scale * self.scaler.get_backoff_factor())
            return True
        self._calm += 1
        grow = self._calm % self.scaler.get_growth_interval() == 0
        self.scaler.update(scale * self.scaler.get_growth_factor() if grow else scale)
        return False

    def _precision(self) -> Any:
        if self.autocast is None:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.autocast)

    # -- other parameters -----------------------------------------------------------------------------------------

    @contextmanager
    def at(self, params: Leaves, *, keep_statistics: bool = False) -> Iterator[None]:
        """Point the module's parameters at other numbers and back: exact, no copy, hooks fire.

        The running statistics of normalization layers are those of the first pass of a step, so they are put back.
        """
        if params is self.home:
            yield
            return
        own = [p.data for p in self.home.tensors]
        saved = [[b.clone() for b in _buffers(m)] for m in self.statistics] if keep_statistics else []
        torch.clear_autocast_cache()
        try:
            whole = params.names == self.home.names
            both = self.home.names if whole else tuple(name for name in self.home.names if name in params)
            for p, new in zip(self.home.part(both).tensors, params.part(both).tensors, strict=True):
                p.data = new.detach()
            yield
        finally:
            for p, data in zip(self.home.tensors, own, strict=True):
                p.data = data
            for m, kept in zip(self.statistics, saved, strict=False):
                for b, old in zip(_buffers(m), kept, strict=True):
                    b.copy_(old)
            torch.clear_autocast_cache()

    def losses(self, batch: Batch, params: Leaves) -> Tensor:
        """Return the plain loss per example (b,) in evaluation mode; (1,) where the loss gives one number."""
        return self.answers(batch, params)[1]

    def answers(self, batch: Batch, params: Leaves) -> tuple[Any, Tensor]:
        """Return what the model gives in evaluation mode, without gradient, and the losses as ``losses`` does."""
        with self.at(params), evaluating(self.model), torch.no_grad(), self._precision():
            outputs = call(self.model, batch.inputs)
            value = self.loss(outputs, batch.targets).detach().float()
        return outputs, value.reshape(1) if value.dim() == 0 else value.flatten(1).mean(1) if value.dim() > 1 else value

    def outputs(self, batch: Batch, params: Leaves) -> Any:
        """Return what the model gives in evaluation mode, without gradient."""
        with self.at(params), evaluating(self.model), torch.no_grad(), self._precision():
            return call(self.model, batch.inputs)

    def product(self, batch: Batch, direction: Leaves) -> Leaves:
        """Return the Hessian of the plain loss at the trained weights, in evaluation mode, times a direction."""
        # no second derivative: fused attention, cuDNN's RNN, compiled modules
        no_cudnn = torch.backends.cudnn.flags(enabled=False)
        with evaluating(self.model), torch.enable_grad(), plain_attention(), no_cudnn, uncompiled():
            value = reduce(self.loss(call(self.model, batch.inputs), batch.targets), batch.weight)
            first = torch.autograd.grad(value, self.home.tensors, create_graph=True, allow_unused=True)
            used = [(g, v) for g, v in zip(first, direction.tensors, strict=True) if g is not None and g.requires_grad]
            along = torch.stack([(g * v).sum() for g, v in used]).sum() if used else None
            second = () if along is None else torch.autograd.grad(along, self.home.tensors, allow_unused=True)
        parts = second or [None] * len(self.home)
        kept = [torch.zeros_like(p) if h is None else h for h, p in zip(parts, self.home.tensors, strict=True)]
        return Leaves(self.home.names, kept, owned=True)

    def plain_gradient(self, batch: Batch) -> Leaves:
        """Return the gradient of the plain loss in evaluation mode; the module's ``.grad`` stays as it is."""
        with evaluating(self.model), torch.enable_grad(), self._precision():
            value = reduce(self.loss(call(self.model, batch.inputs), batch.targets), batch.weight)
            grads = torch.autograd.grad(value, self.home.tensors, allow_unused=True)
        kept = [torch.zeros_like(p) if g is None else g for g, p in zip(grads, self.home.tensors, strict=True)]
        return Leaves(self.home.names, kept, owned=True)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put every submodule in evaluation mode and each one back as it was."""
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for m, mode in modes:
            m.training = mode


def check_optimizer(optimizer: torch.optim.Optimizer, model: nn.Module) -> None:
    """Raise where the optimizer does not train the model's parameters, or wants to run the passes itself."""
    if isinstance(optimizer, torch.optim.LBFGS):
        raise RecipeError(
            "the optimizer is LBFGS, which runs the passes of a step itself",
            "a recipe wraps the gradient, so the optimizer must take one",
            "Use torch.optim.AdamW or SGD",
        )
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    lost = [name for name, p in trainable(model).items() if id(p) not in held]
    if lost and len(lost) == len(trainable(model)):
        raise RecipeError(
            f"the optimizer holds none of the model's {len(lost)} parameters",
            "it must have been built from this model's parameters",
            "Build it after the model is final: torch.optim.AdamW(model.parameters(), weight_decay=0)",
        )


def _buffers(module: nn.Module) -> list[Tensor]:
    names = ("running_mean", "running_var", "num_batches_tracked")
    return [b for name in names if isinstance(b := getattr(module, name, None), Tensor)]


def _joined(passes: Sequence[Pass], micros: Sequence[Batch]) -> Pass:
    sizes = [micro.size for micro in micros]
    loss = sum((p.loss.detach() * (s / sum(sizes)) for p, s in zip(passes, sizes, strict=True)), torch.zeros(()))
    memory: dict[str, dict[str, Any]] = {}
    for p in passes:
        for address, values in p.memory.items():
            memory.setdefault(address, {}).update(values)
    return Pass(loss, [p.outputs for p in passes], {}, memory, passes[0].notes, [p.batch for p in passes])
