"""Functional optimizers for ``compile`` and the population; and what a session asks of torch's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import profiler
from torch.optim import Optimizer
from torch.optim import optimizer as torchs

from temperance.core.devices import exact
from temperance.core.leaves import Leaves
from temperance.records.errors import RecipeError, SettingError

State = dict[str, Any]


@dataclass(frozen=True)
class Functional(ABC):
    """One optimizer. ``lr`` is the largest learning rate; a step takes the one in force."""

    lr: float = 1e-3

    @abstractmethod
    def begin(self, params: Mapping[str, Tensor]) -> State:
        """Return the state before the first step: nested dicts of tensors."""

    @abstractmethod
    def step(self, params: Leaves, grads: Leaves, state: State, lr: Any) -> tuple[Leaves, State]:
        """Return new parameters and state; pure. ``lr``: one rate, or a list with one per leaf."""


@dataclass(frozen=True)
class SGD(Functional):
    """Stochastic gradient descent: m ← μm + g (m = g at first); w ← w − η(g + μm if nesterov else m)."""

    lr: float = 1e-2
    momentum: float = 0.0
    nesterov: bool = False

    def begin(self, params: Mapping[str, Tensor]) -> State:
        """Return zero momenta."""
        return {"momentum": {n: torch.zeros_like(p) for n, p in params.items()}} if self.momentum else {}

    def step(self, params: Leaves, grads: Leaves, state: State, lr: Any) -> tuple[Leaves, State]:
        """Return new parameters and momenta."""
        if not self.momentum:
            rows = zip(params.tensors, grads.tensors, _each(lr, params), strict=True)
            return params.like([p - eta * g for p, g, eta in rows]), {}
        moved = {n: self.momentum * state["momentum"][n] + grads[n] for n in params.names}
        look = [grads[n] + self.momentum * moved[n] if self.nesterov else moved[n] for n in params.names]
        new = params.like([p - eta * v for p, v, eta in zip(params.tensors, look, _each(lr, params), strict=True)])
        return new, {"momentum": moved}


@dataclass(frozen=True)
class AdamW(Functional):
    """Adam (Kingma and Ba 2015, arXiv:1412.6980) without decay: decay is a technique of its own (``WeightDecay``)."""

    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def begin(self, params: Mapping[str, Tensor]) -> State:
        """Return zero moments and the count of steps."""
        first = next(iter(params.values()))
        zeros = {n: torch.zeros_like(p) for n, p in params.items()}
        return {
            "first": zeros,
            "second": {n: z.clone() for n, z in zeros.items()},
            "count": torch.zeros((), dtype=exact(first.device), device=first.device),
        }

    def step(self, params: Leaves, grads: Leaves, state: State, lr: Any) -> tuple[Leaves, State]:
        """Return new parameters and moments."""
        count = state["count"] + 1
        first = {n: torch.lerp(state["first"][n], grads[n], 1 - self.beta1) for n in params.names}
        second = {n: self.beta2 * state["second"][n] + (1 - self.beta2) * grads[n] * grads[n] for n in params.names}
        sizes = [eta / (1 - self.beta1**count) for eta in _each(lr, params)]
        root = torch.sqrt(1 - self.beta2**count)
        rows = zip(params.items(), sizes, strict=True)
        new = [p - size * first[n] / (torch.sqrt(second[n]) / root + self.eps) for (n, p), size in rows]
        return params.like(new), {"first": first, "second": second, "count": count}


def _each(lr: Any, params: Leaves) -> list[Any]:
    return lr if isinstance(lr, list) else [lr] * len(params)


def require_functional(optimizer: Any) -> Functional:
    """Return the optimizer if it is functional.

    Raises:
        SettingError: a ``torch.optim`` optimizer or anything else was given.

    """
    if isinstance(optimizer, Functional):
        return optimizer
    raise SettingError(
        f"got {type(optimizer).__name__}",
        "compile and population need a functional optimizer",
        "Use temperance.core.optimizers.AdamW(lr=…) or SGD(lr=…); torch.optim goes with Recipe.attach",
    )


# what torch makes of the ``step`` of its own optimizers, and of subclasses; a step that a user wrapped has other code
_LABELLED = Optimizer.profile_hook_step(Optimizer.step).__code__  # type: ignore[attr-defined]


def step_as_it_is(optimizer: torch.optim.Optimizer) -> None:
    """Call ``optimizer.step()``.

    torch wraps ``step`` in a label for its profiler and in the calling of hooks, which small nets feel. Where nobody
    profiles, hooked anything or replaced ``step`` (schedulers do), the function inside is called.
    """
    kind = type(optimizer)
    step = getattr(kind, "step", None)  # integrations hand in what only acts like an optimizer
    if (
        getattr(step, "__code__", None) is _LABELLED
        and kind._optimizer_step_code is Optimizer._optimizer_step_code
        and "step" not in optimizer.__dict__
        and not profiler._is_profiler_enabled
        and not _is_hooked(optimizer)
        and not (torchs._global_optimizer_pre_hooks or torchs._global_optimizer_post_hooks)
    ):
        step.__wrapped__(optimizer)  # type: ignore[union-attr]
    else:
        optimizer.step()


def _is_hooked(optimizer: Any) -> bool:
    return bool(
        getattr(optimizer, "_optimizer_step_pre_hooks", None) or getattr(optimizer, "_optimizer_step_post_hooks", None)
    )


def step_at(optimizer: torch.optim.Optimizer, leaves: Sequence[Tensor], rates: Any) -> None:
    """Step with a learning rate for each leaf: what parameter groups written by hand for these rates would do.

    The groups are divided while the step runs. What the optimizer writes into a group (a count, say) is kept, and
    schedulers see the groups that they know. Parameters that are no leaf have their group's rate.

    Args:
        optimizer: any ``torch.optim`` optimizer whose groups have an ``lr``, or a wrapper of one.
        leaves: the parameters.
        rates: one per leaf, or one number for all.

    """
    each = rates if isinstance(rates, list) else [rates] * len(leaves)
    wanted = {id(p): float(rate) for p, rate in zip(leaves, each, strict=True)}
    divided = _Division(optimizer, wanted)
    if not _is_hooked(optimizer):
        divided.begin()
        try:
            optimizer.step()
        finally:
            divided.end()
        return
    # the user's hooks see the groups that they know: schedulers may step in them
    first = optimizer.register_step_pre_hook(lambda *_: divided.begin())
    last = optimizer.register_step_post_hook(lambda *_: divided.end())
    optimizer._optimizer_step_post_hooks.move_to_end(last.id, last=False)  # type: ignore[attr-defined]
    try:
        optimizer.step()
    finally:
        first.remove()
        last.remove()
        divided.end()


class _Division:
    """Groups of an optimizer divided by the rates of their parameters, and put together again.

    Args:
        optimizer: whose groups.
        wanted: rate by ``id`` of a parameter, right for the groups' rates of now; it follows what a hook makes of them.

    """

    def __init__(self, optimizer: torch.optim.Optimizer, wanted: Mapping[int, float]) -> None:
        self.groups, self.wanted = optimizer.param_groups, wanted
        self.whole: list[dict[str, Any]] = []
        self.parts: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self.rates = [float(group["lr"]) for group in self.groups]

    def begin(self) -> None:
        """Divide them."""
        self.whole = list(self.groups)
        for group, rate in zip(self.whole, self.rates, strict=True):
            now = float(group["lr"])
            scale = now / rate if rate and now != rate else 1.0
            self.parts += [(group, part) for part in _divided(group, self.wanted, scale)]
        self.groups[:] = [part for _, part in self.parts]  # in place: wrappers of the optimizer have the same list

    def end(self) -> None:
        """Put them together; called again, nothing happens."""
        if self.whole:
            self.groups[:] = self.whole
        for group, part in self.parts:
            group.update({name: value for name, value in part.items() if name not in ("params", "lr")})
        self.whole, self.parts = [], []


def _divided(group: dict[str, Any], wanted: Mapping[int, float], scale: float) -> list[dict[str, Any]]:
    lr = group["lr"]
    by_rate: dict[float, list[Tensor]] = {}
    for p in group["params"]:
        rate = scale * wanted[id(p)] if id(p) in wanted else float(lr)
        by_rate.setdefault(rate, []).append(p)
    return [
        {**group, "params": params, "lr": torch.full_like(lr, rate) if isinstance(lr, Tensor) else rate}
        for rate, params in by_rate.items()
    ]


def largest_rate(optimizer: torch.optim.Optimizer) -> float:
    """Return the largest rate that is known: schedulers that warm up leave it in ``max_lr`` or ``initial_lr``."""
    names = ("lr", "initial_lr", "max_lr")
    return max(float(group[name]) for group in optimizer.param_groups for name in names if name in group)


def join_new(module: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Give the optimizer the parameters that techniques added to a model and that it does not hold yet.

    They get a group of their own; where a scheduler was built before, which counts its groups, they join the last.
    """
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    new = [
        p for n, p in module.named_parameters()
        if p.requires_grad and n.rsplit(".", 1)[-1].startswith("temperance_") and id(p) not in held
    ]  # fmt: skip
    if new:
        last = optimizer.param_groups[-1]
        if "initial_lr" in last:  # every scheduler writes it
            last["params"].extend(new)
        else:
            optimizer.add_param_group({"params": new})


def no_torch_optimizer_decay(optimizer: Any) -> None:
    """Raise where an optimizer decays weights by itself, beside a technique that does.

    Raises:
        RecipeError: a parameter group has ``weight_decay`` other than 0.

    """
    if optimizer is None:
        return
    doubled = [g["weight_decay"] for g in optimizer.param_groups if g.get("weight_decay", 0) != 0]
    if doubled:
        inner = getattr(optimizer, "optimizer", optimizer)  # that of accelerate's and Fabric's wrappers
        name = type(inner).__name__
        trainers = "" if inner is optimizer else ", in Trainer TrainingArguments(weight_decay=0)"
        raise RecipeError(
            f"the optimizer {name} has weight_decay={doubled[0]:g} and the recipe decays weights too",
            "one of them may decay",
            f"Change its line to torch.optim.{name}(model.parameters(), lr=…, weight_decay=0){trainers}"
            " (AdamW's default is 0.01), or let the recipe take its groups over: WeightDecay.from_optimizer(optimizer)",
        )
