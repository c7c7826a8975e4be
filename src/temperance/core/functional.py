"""The pure step: ``(state, batch, signals) → (state, notes)`` over a copy of the model; the population maps over it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad

from temperance.core import stages
from temperance.core.batch import Batch, Pass, call, measure, per_row
from temperance.core.batches import Reader
from temperance.core.criterion import Criterion
from temperance.core.devices import exact
from temperance.core.embedding import Seam
from temperance.core.leaves import Leaves
from temperance.core.objective import PlainObjective
from temperance.core.optimizers import Functional, require_functional
from temperance.core.policy import trainable
from temperance.core.random import fold, pulse
from temperance.core.recipe import Recipe
from temperance.core.regularizer import Context, Memory, Rate, Strengths
from temperance.core.state import TrainState, plain, rich
from temperance.core.wrappers import bare

Loss = Callable[[Any, Any], Tensor]


class Compiled:
    """A pure training step of one recipe on one architecture.

    Args:
        recipe: what to train with.
        model: copied and rewired; the original stays as it is.
        loss: ``loss(outputs, targets)`` → (b,) or (); None: the model's own.
        optimizer: a functional optimizer, e.g. ``core.optimizers.AdamW(lr=1e-3)``.
        epochs: planned epochs, for techniques that ask.
        steps_per_epoch: optimizer steps per epoch, likewise.

    Example:
        >>> step = compile_recipe(recipe, model, F.cross_entropy, AdamW(lr=1e-3))  # doctest: +SKIP
        >>> state = step.begin(seed=0)  # doctest: +SKIP
        >>> state, notes = step(state, batch)  # doctest: +SKIP

    """

    def __init__(
        self,
        recipe: Recipe,
        model: nn.Module,
        loss: Loss | None,
        optimizer: Any,
        *,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
    ) -> None:
        self.recipe, self.loss = recipe, Criterion(loss, model)
        self.reader = Reader(model, convention=self.loss.convention, needs_targets=loss is not None)
        self.optimizer: Functional = require_functional(optimizer)
        self.model = copy.deepcopy(bare(model))
        device = next((p.device for p in model.parameters()), torch.device("cpu"))
        planned = (epochs or 0) * (steps_per_epoch or 0) or None
        self.context = Context(self.model, self.optimizer.lr, steps_per_epoch, epochs, device, planned)
        self.parts = recipe.by_address
        self._start: dict[str, dict[str, Tensor]] = {}
        self._plans: dict[str, Any] = {}
        for address, one in self.parts.items():
            one.check(self.context, None)
            values = {
                n: torch.tensor(v, dtype=exact(device), device=device) for n, v in one.initial(self.context).items()
            }
            one.rewire(self.model, Strengths(values, address=address))
            self._start[address] = values
            self._plans[address] = one.plan(self.context)
        self.model.train()
        self._wired = self._find_strength_buffers()
        moves = any(one.moves_inputs for one in self.parts.values())
        self.seam = Seam(self.model, self.loss.inputs, []) if moves else None

    def _find_strength_buffers(self) -> dict[str, tuple[str, str]]:
        known = {id(t): (a, n) for a, part in self._start.items() for n, t in part.items()}
        return {
            name: known[id(buffer)]
            for name, buffer in self.model.named_buffers(remove_duplicate=False)
            if id(buffer) in known
        }

    # -- state ----------------------------------------------------------------------------------------------------

    def begin(self, seed: int = 0) -> TrainState:
        """Return the state before the first step; parameters are the model's."""
        params = {n: p.detach().clone() for n, p in trainable(self.model).items()}
        buffers = {n: b.detach().clone() for n, b in self.model.named_buffers() if n not in self._wired}
        frozen = {n: p.detach() for n, p in self.model.named_parameters() if not p.requires_grad}
        memory = self.memory(params)
        strengths = {a: {n: t.detach().clone() for n, t in part.items()} for a, part in self._start.items()}
        state = TrainState(
            params, {**buffers, **frozen}, strengths, memory, self.optimizer.begin(params), {}, 0, (seed,)
        )
        return state._replace(control=self.recipe.controller.begin(state.values, self.recipe.specs))

    def memory(self, params: Mapping[str, Tensor]) -> dict[str, dict[str, Any]]:
        """Return what each technique remembers before the first step from these parameters."""
        return {a: plain(one.begin(Leaves.of(params), self.context)) for a, one in self.parts.items()}

    def __call__(
        self, state: TrainState, batch: Any, signals: Mapping[str, Any] | None = None, *, lr: float | None = None
    ) -> tuple[TrainState, dict[str, Tensor]]:
        """Take one step; ``signals`` (if given) let the controller move the strengths before it."""
        if signals is not None:
            state = self.steer(state, signals)
        key = fold(state.seeds[0], state.steps)
        return self._advance(state, self.reader.one(batch), self.optimizer.lr if lr is None else lr, key)

    def _advance(self, state: TrainState, batch: Batch, lr: Any, key: Any) -> tuple[TrainState, dict[str, Tensor]]:
        new, notes = self.pure(
            state.params, state.buffers, state.strengths, state.memory, state.optimizer, batch, lr, key
        )
        params, buffers, memory, optimizer = new
        return state._replace(
            params=params, buffers=buffers, memory=memory, optimizer=optimizer, steps=state.steps + 1
        ), notes

    def steer(self, state: TrainState, signals: Mapping[str, Any]) -> TrainState:
        """Let the controller move the strengths."""
        controller, specs = self.recipe.controller, self.recipe.specs
        after, control = controller.steer(state.values, signals, state.control, specs)
        strengths = {
            a: {n: torch.as_tensor(after[f"{a}.{n}"], dtype=t.dtype, device=t.device) for n, t in part.items()}
            for a, part in state.strengths.items()
        }
        memory = dict(state.memory)
        for address, one in self.parts.items():
            if one.reads:
                memory[address] = {**memory[address], **one.hear(signals, memory[address])}
        return state._replace(strengths=strengths, control=control, memory=memory)

    def served(self, state: TrainState) -> dict[str, Tensor]:
        """Return the weights to evaluate and ship."""
        memory = {a: Memory(rich(m), address=a, plan=self._plans[a]) for a, m in state.memory.items()}
        return dict(stages.served(self.parts, Leaves.of(state.params), memory))

    # -- the step itself --------------------------------------------------------------------------------------------

    def pure(
        self, params: Any, buffers: Any, strengths: Any, memory: Any, optimizer: Any, batch: Batch, lr: Any, key: Any
    ) -> tuple[tuple[Any, Any, Any, Any], dict[str, Tensor]]:
        """Return ``(params, buffers, memory, optimizer), notes``; arguments are trees of tensors, left as they are."""
        now = {a: Strengths(strengths[a], address=a) for a in self.parts}
        kept = {a: Memory(rich(memory[a]), address=a, plan=self._plans[a]) for a in self.parts}
        holder = {"state": optimizer}

        def plain_objective(p: Leaves, b: Mapping[str, Tensor], one: Batch, k: Any) -> Pass:
            return self._plain(p, b, strengths, one, k)

        def plain_gradient(p: Leaves, b: Any, one: Any, k: Any) -> tuple[Leaves, Pass]:
            def value(named: dict[str, Tensor]) -> tuple[Tensor, Pass]:
                with pulse(k):
                    passed = objective(Leaves.of(named), b, one, k)
                return passed.loss, passed._replace(batch=())

            grads, passed = grad(value, has_aux=True)(dict(p))
            return Leaves.of(grads), passed

        def plain_update(p: Leaves, g: Leaves, rate: Rate) -> Leaves:
            new, holder["state"] = self.optimizer.step(p, g, holder["state"], rate)
            return new

        innermost = PlainObjective(plain_objective, self.loss, is_entropy=self.loss.is_entropy)
        objective = stages.objective(self.parts, innermost, now, kept)
        gradient = stages.gradient(self.parts, plain_gradient, now, kept)
        update = stages.update(self.parts, plain_update, now, kept)
        leaves = Leaves.of(params)
        batch = batch if self.seam is None else self.seam.on(batch)
        grads, passed = gradient(leaves, buffers, batch, key)
        for address, values in passed.memory.items():
            kept[address].update(values)
        after = update(leaves, grads, lr)
        news = {a: plain(dict(m)) for a, m in kept.items()}
        return (dict(after), passed.buffers, news, holder["state"]), {"loss": passed.loss, **passed.notes}

    def _plain(self, params: Leaves, buffers: Mapping[str, Tensor], strengths: Any, batch: Batch, key: Any) -> Pass:
        own = {n: b.clone() if b.is_floating_point() or b.dtype == torch.int64 else b for n, b in buffers.items()}
        wired = {n: strengths[a][s] for n, (a, s) in self._wired.items()}
        raw = self._call({**params, **own, **wired}, self.loss.inputs(batch))
        outputs, seen = self.loss.paired(self.loss.read(raw), batch)
        return Pass(measure(self.loss, raw, batch), outputs, own, {}, {}, seen)

    def _call(self, tensors: dict[str, Tensor], inputs: Any) -> Any:
        def run(*args: Any, **named: Any) -> Any:
            return functional_call(self.model, tensors, args, named)

        return call(run, inputs)

    def losses(self, params: Mapping[str, Tensor], buffers: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """Return the plain loss per example in evaluation mode, (b,); (1,) where the loss gives one number."""
        self.model.eval()
        try:
            with torch.no_grad():
                own = {**params, **buffers, **{n: self._start[a][s] for n, (a, s) in self._wired.items()}}
                value = self.loss(self._call(own, self.loss.inputs(batch)), batch.targets)
        finally:
            self.model.train()
        return per_row(value, batch)


def compile_recipe(recipe: Recipe, model: nn.Module, loss: Loss, optimizer: Any, **settings: Any) -> Compiled:
    """Return a pure step ``(state, batch, signals) → (state, notes)`` over a copy of the model.

    Args:
        recipe: what to train with.
        model: copied and rewired; the original stays as it is.
        loss: ``loss(outputs, targets)`` → (b,) or ().
        optimizer: a functional optimizer, e.g. ``core.optimizers.AdamW(lr=1e-3)``.
        **settings: ``epochs`` and ``steps_per_epoch``, for techniques that ask.

    Raises:
        RecipeError: a technique cannot work on this model.
        SettingError: a ``torch.optim`` optimizer, which works in place.

    """
    return Compiled(recipe, model, loss, optimizer, **settings)
