"""The population executor: k members of one recipe in one step, by ``vmap`` or by a loop, as a trial decides."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import vmap
from torch.utils import _pytree as tree

from temperance.core.batch import Batch
from temperance.core.functional import Compiled, Loss
from temperance.core.random import KeyPath, Request, Tape, fold, playing
from temperance.core.recipe import Recipe
from temperance.core.state import TrainState

Mode = Literal["auto", "vmap", "loop"]
_LOG = logging.getLogger(__name__)


class Population:
    """Trains k members at once: the same batches, each with its own weights, strengths, memory and noise.

    Args:
        recipe: techniques and controller; the members differ in strengths and seeds.
        model: architecture (and starting weights, where ``begin`` gets none).
        loss: ``loss(outputs, targets)``.
        optimizer: a functional optimizer.
        members: k.
        mode: ``vmap``, ``loop``, or ``auto``: measured on the first batch; ``choice`` tells the outcome and why.

    """

    def __init__(
        self,
        recipe: Recipe,
        model: nn.Module,
        loss: Loss,
        optimizer: Any,
        members: int,
        *,
        mode: Mode = "auto",
        **known: Any,
    ) -> None:
        self.step = Compiled(recipe, model, loss, optimizer, **known)
        self.members = members
        self.choice: dict[str, Any] = {} if mode == "auto" else {"executor": mode, "reason": "asked for"}
        self._tapes: dict[tuple[object, ...], Tape] = {}

    def begin(
        self,
        seeds: Sequence[int] | None = None,
        strengths: Mapping[str, Sequence[float]] | None = None,
        weights: Sequence[Mapping[str, Tensor]] | None = None,
    ) -> TrainState:
        """Return the stacked state.

        Args:
            seeds: one per member; 0 … k − 1 where not given.
            strengths: values by address, k each, where they differ from the recipe's.
            weights: starting parameters per member; the model's where not given.

        """
        chosen = tuple(range(self.members)) if seeds is None else tuple(seeds)
        singles = []
        for i, seed in enumerate(chosen):
            single = self.step.begin(seed)
            if weights is not None:
                params = {n: weights[i][n].detach().clone() for n in single.params}
                memory = self.step.memory(params)
                single = single._replace(params=params, memory=memory, optimizer=self.step.optimizer.begin(params))
            for address, values in (strengths or {}).items():
                owner, name = address.rsplit(".", 1)
                spec = self.step.recipe.specs[address]
                single.strengths[owner][name].fill_(spec.check(owner, name, values[i]))
            singles.append(single)
        state = stack(singles)
        return state._replace(control=self.step.recipe.controller.begin(state.values, self.step.recipe.specs))

    def __call__(
        self, state: TrainState, batch: Any, signals: Mapping[str, Any] | None = None, *, lr: float | None = None
    ) -> tuple[TrainState, dict[str, Tensor]]:
        """Take one step of every member; notes have a first axis k."""
        if signals is not None:
            state = self.steer(state, signals)
        one, rate = self.step.reader.one(batch), self.step.optimizer.lr if lr is None else lr
        if not self.choice:
            self.choice = self._measure(state, one, rate)
            _LOG.info("population of %d: %s, %s", self.members, self.choice["executor"], self.choice["reason"])
        return self._run(self.choice["executor"], state, one, rate)

    def steer(self, state: TrainState, signals: Mapping[str, Any]) -> TrainState:
        """Let the controller move the strengths; members that it replaces take their source's weights and memories.

        ``control["source"]`` (k,) names from whom each member copies: parameters, buffers, memories, optimizer. Its
        strengths are the controller's, its seed stays its own, so two copies see different noise.
        """
        steered = self.step.steer(state, signals)
        source = steered.control.get("source")
        if source is None or (source == np.arange(self.members)).all():
            return steered
        index = torch.as_tensor(source, dtype=torch.int64)
        parts = (steered.params, steered.buffers, steered.memory, steered.optimizer)
        copied = tree.tree_map(lambda t: t.index_select(0, index.to(t.device)), parts)
        params, buffers, memory, optimizer = copied
        return steered._replace(params=params, buffers=buffers, memory=memory, optimizer=optimizer)

    def _run(self, executor: str, state: TrainState, batch: Batch, lr: float) -> tuple[TrainState, dict[str, Tensor]]:
        return self._by_vmap(state, batch, lr) if executor == "vmap" else self._by_loop(state, batch, lr)

    def _measure(self, state: TrainState, batch: Batch, lr: float, repeats: int = 3) -> dict[str, Any]:
        seconds: dict[str, float] = {}
        for executor in ("loop", "vmap"):
            try:
                self._run(executor, state, batch, lr)
                started = time.perf_counter()
                for _ in range(repeats):
                    self._run(executor, state, batch, lr)
                seconds[executor] = (time.perf_counter() - started) / repeats
            except RuntimeError as fault:
                if executor == "loop":
                    raise
                first = str(fault).strip().split("\n")[0]
                return {"executor": "loop", "reason": f"vmap cannot run this model: {first}", "seconds": seconds}
        best = min(seconds, key=lambda name: seconds[name])
        other = "loop" if best == "vmap" else "vmap"
        ratio = seconds[other] / seconds[best]
        return {"executor": best, "reason": f"{ratio:.2f} times faster than {other} in a trial", "seconds": seconds}

    def _by_loop(self, state: TrainState, batch: Batch, lr: float) -> tuple[TrainState, dict[str, Tensor]]:
        done = []
        for i, seed in enumerate(state.seeds):
            done.append(self.step._advance(member(state, i), batch, lr, fold(seed, state.steps)))
        merged = stack([single for single, _ in done])._replace(control=state.control)
        return merged, {name: torch.stack([notes[name] for _, notes in done]) for name in done[0][1]}

    def _by_vmap(self, state: TrainState, batch: Batch, lr: float) -> tuple[TrainState, dict[str, Tensor]]:
        tape = self._tape(state, batch, lr)
        noise = tape.draw([fold(seed, state.steps) for seed in state.seeds], state.values)
        new, notes = self._mapped(state, batch, lr, tape.requests, noise)
        params, buffers, memory, optimizer = new
        return (
            state._replace(params=params, buffers=buffers, memory=memory, optimizer=optimizer, steps=state.steps + 1),
            notes,
        )

    def _mapped(self, state: TrainState, batch: Batch, lr: float, requests: list[Request], noise: list[Tensor]) -> Any:
        def one(params: Any, buffers: Any, strengths: Any, memory: Any, optimizer: Any, drawn: Any) -> Any:
            tape = Tape()
            tape.noise = dict(zip(requests, drawn, strict=True))
            with playing(tape):
                return self.step.pure(params, buffers, strengths, memory, optimizer, batch, lr, KeyPath())

        return vmap(one)(state.params, state.buffers, state.strengths, state.memory, state.optimizer, noise)

    def _tape(self, state: TrainState, batch: Batch, lr: float) -> Tape:
        shapes = (*(tuple(t.shape) for t in tree.tree_leaves(batch) if isinstance(t, Tensor)), batch.weight is None)
        if shapes not in self._tapes:
            tape = Tape()

            def dry(params: Any, buffers: Any, strengths: Any, memory: Any, optimizer: Any) -> Any:
                with playing(tape):
                    return self.step.pure(params, buffers, strengths, memory, optimizer, batch, lr, KeyPath())[0][0]

            vmap(dry)(state.params, state.buffers, state.strengths, state.memory, state.optimizer)
            self._tapes[shapes] = tape
        return self._tapes[shapes]

    def losses(self, state: TrainState, batch: Any) -> Tensor:
        """Return the plain losses of every member at its served weights, (k, b)."""
        one = self.step.reader.one(batch)
        singles = [member(state, i) for i in range(self.members)]
        return torch.stack([self.step.losses(self.step.served(s), s.buffers, one) for s in singles])


def stack(states: Sequence[TrainState]) -> TrainState:
    """Stack single states into one with a first axis k."""
    first = states[0]
    trees = [(s.params, s.buffers, s.strengths, s.memory, s.optimizer) for s in states]
    leaves = [tree.tree_flatten(one) for one in trees]
    stacked = [torch.stack(column) for column in zip(*(flat for flat, _ in leaves), strict=True)]
    params, buffers, strengths, memory, optimizer = tree.tree_unflatten(stacked, leaves[0][1])
    seeds = tuple(seed for s in states for seed in s.seeds)
    return TrainState(params, buffers, strengths, memory, optimizer, first.control, first.steps, seeds)


def member(state: TrainState, index: int) -> TrainState:
    """Take one member out of a stacked state."""
    parts = (state.params, state.buffers, state.strengths, state.memory, state.optimizer)
    params, buffers, strengths, memory, optimizer = tree.tree_map(lambda t: t[index], parts)
    seeds = (state.seeds[index],)
    return TrainState(params, buffers, strengths, memory, optimizer, {}, state.steps, seeds)
