"""Frozen layers that thaw from the head down."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from torch import Tensor, nn

from temperance.control.strength import Strength
from temperance.core.averaging import zero
from temperance.core.batch import Batch, Pass
from temperance.core.kit.depth import layers
from temperance.core.leaves import Leaves
from temperance.core.regularizer import (
    Context,
    Effect,
    Memory,
    Objective,
    Rank,
    Rate,
    Regularizer,
    Strengths,
    Update,
    techniques,
)
from temperance.core.statistics import resting, tracking
from temperance.core.wrappers import replicated
from temperance.records.citation import Citation
from temperance.records.errors import RecipeError, SettingError

_IN_SESSIONS = "it switches gradients of the user's parameters, which a pure step does not have"


@techniques.add
@dataclass(frozen=True, repr=False)
class FrozenPrefix(Regularizer):
    """Train the head first; the layers below it thaw one after another (gradual unfreezing).

        frozen at step t of T planned: ⌈L·(1 − t/(u·T))⌉ layers from the input, L at first, none from u·T on

    A frozen layer gets no gradient and no update: its weights stay bit for bit as they are, whatever decays or
    averages. The backward pass ends above it. Its BatchNorm normalizes by its running statistics, which stand still;
    its dropout acts as in training. What the optimizer remembers of a layer begins when it thaws. The head never
    freezes. ``gradual=False`` thaws all at once: linear probing, then fine-tuning (LP-FT).

    Stage: objective.  Cost: less than nothing, while layers are frozen.
    Strengths: until u in [0, 1], neutral 0, linear, stronger = up.
    Shapes: any.
    Use when: fine-tuning a pretrained net with a new head.
    Avoid when: training from scratch. DistributedDataParallel needs ``find_unused_parameters=True``.

    Args:
        until: share of the training at which the last layer thaws; 1: never.
        epochs: the same in epochs; it replaces ``until``.
        gradual: whether layers thaw one after another, evenly.
        layers: how many layers are frozen at first (L); all but the head where not given.
        order: shell patterns of parameter names, one per layer, the deepest first, where the order cannot be seen.

    Raises:
        SettingError: a setting outside its range.
        RecipeError: the order of the layers or the length of the training is not known; ``Recipe.compile`` or a
            population; DistributedDataParallel that waits for the gradients of frozen layers.

    Example:
        >>> FrozenPrefix(epochs=3).to_dict()
        {'name': 'FrozenPrefix', 'until': 0.3, 'epochs': 3, 'gradual': True}

    References: Howard and Ruder (2018), arXiv:1801.06146, section 3.3; Kumar et al. (2022), arXiv:2202.10054,
    section 3.3 (all at once).

    """

    until: float = 0.3
    epochs: float | None = None
    gradual: bool = True
    layers: int | None = None
    order: tuple[str, ...] | None = None

    strengths: ClassVar[dict[str, Strength]] = {
        "until": Strength(0.3, low=0.0, high=1.0, neutral=0.0, words="share of the training until all layers train")
    }
    family: ClassVar[str] = "transfer"
    rank: ClassVar[Rank] = Rank.RATE
    effect: ClassVar[Effect] = {"until": ("travel", "down")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("freezes",)
    exceptions: ClassVar[Mapping[str, str]] = {
        "pure": _IN_SESSIONS,
        "population": _IN_SESSIONS,
        "idle": "the head that no pass goes through is all that it would train at first, and that is refused",
    }
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "howard2018", "Howard, Ruder", 2018, "Universal language model fine-tuning for text classification",
            "ACL", "1801.06146", "section 3.3",
        ),
        Citation(
            "kumar2022", "Kumar et al.", 2022,
            "Fine-tuning can distort pretrained features and underperform out-of-distribution", "ICLR", "2202.10054",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.epochs is not None and not 0 <= self.epochs < math.inf:
            raise SettingError(f"FrozenPrefix got epochs={self.epochs!r}", "it is 0 or above", "Give a count of epochs")
        if self.layers is not None and self.layers < 1:
            raise SettingError(f"FrozenPrefix got layers={self.layers!r}", "it is 1 or above", "Leave it out for all")

    def check(self, context: Context, optimizer: Any) -> None:
        """Refuse a pure step, a training of unknown length, a model without a layer below its head, and replicas.

        Replicas that wait for the gradients of all layers, that is.

        Raises:
            RecipeError: one of these.

        """
        if optimizer is None:
            raise RecipeError(
                "FrozenPrefix was given to compile or a population",
                f"a session: {_IN_SESSIONS}",
                "Use recipe.attach(model, optimizer, …)",
            )
        if not context.steps:
            raise RecipeError(
                "FrozenPrefix thaws layers by the share of the training that is done, but its length is not known",
                "it needs epochs and steps_per_epoch",
                "Pass epochs=… and steps_per_epoch=len(loader) to attach",
            )
        found = len(layers(context.model, self.order, "FrozenPrefix"))
        if not (self.layers or 1) < found:
            raise RecipeError(
                f"FrozenPrefix(layers={self.layers}) and {type(context.model).__name__} with {found} layers",
                "the head stays trained, so at most all layers but one are frozen",
                f"Give layers below {found}, or leave FrozenPrefix out",
            )
        self._require_patience(context)

    def _require_patience(self, context: Context) -> None:
        """Refuse ``DistributedDataParallel`` that waits for gradients which frozen layers do not get."""
        ddp = None if context.wrapped is None else replicated(context.wrapped)
        if ddp is None or (ddp.find_unused_parameters and not ddp.static_graph):
            return
        if any(p.requires_grad for layer in self.plan(context).weights for p in layer):
            raise RecipeError(
                f"FrozenPrefix was given a model in DistributedDataParallel(find_unused_parameters="
                f"{ddp.find_unused_parameters}, static_graph={ddp.static_graph})",
                "find_unused_parameters=True and static_graph=False: frozen layers get no gradient, and others later",
                "Wrap the model in DistributedDataParallel(model, find_unused_parameters=True)",
            )

    def initial(self, context: Context) -> dict[str, float]:
        """Return u; from the epochs where they are given.

        Raises:
            RecipeError: epochs are given, and those of the training are not known.

        """
        if self.epochs is None:
            return {"until": self.until}
        planned = (context.steps or 0) / context.steps_per_epoch if context.steps_per_epoch else context.epochs
        if not planned:
            raise RecipeError(
                f"FrozenPrefix(epochs={self.epochs:g}), but the epochs of the training are not known",
                "it needs epochs, or steps and steps_per_epoch",
                "Pass them to attach",
            )
        return {"until": min(1.0, self.epochs / planned)}

    def plan(self, context: Context) -> _Plan:
        """Return the layers that are frozen at first, the deepest first, and the planned steps."""
        found = layers(context.model, self.order, "FrozenPrefix")
        named = dict(context.model.named_parameters())
        prefix = found[: self.layers or len(found) - 1]
        return _Plan(
            tuple(prefix), tuple(tuple(named[name] for name in layer) for layer in prefix),
            _statistics(context.model, prefix), context.steps or 1, {},
        )  # fmt: skip

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Begin before the first step."""
        return {"step": zero(params, context), "frozen": 0.0}

    def unbegun(self, memory: Mapping[str, Any]) -> tuple[str, ...]:
        """Say which layers were still frozen at the last step; that of ``until=1, gradual=False`` is meant so."""
        count = int(memory["frozen"])
        if not count or (self.until >= 1.0 and self.epochs is None and not self.gradual):
            return ()
        return (
            f"FrozenPrefix never trained the deepest {count} of its layers: the training ended after "
            f"{int(memory['step'])} steps, before they thawed. Give fewer epochs, or a smaller until.",
        )

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Run the pass with the frozen layers out of it."""

        def frozen(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            plan: _Plan = memory.plan
            count = self._count(plan, strengths, memory)
            if not count:
                return inner(params, buffers, batch, key)
            with _still(plan.front(count)):
                return inner(params, buffers, batch, key)

        return frozen

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Step without the frozen layers, and count."""

        def step(params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
            plan: _Plan = memory.plan
            count = self._count(plan, strengths, memory)
            memory["step"] = memory["step"] + 1
            memory["frozen"] = float(count)
            held = plan.front(count).names
            if not held.isdisjoint(grads.names):  # a gradient of zeros that was left there would wake momentum
                for p in plan.front(count).weights:
                    p.grad = None
                grads = grads.part(tuple(name for name in grads.names if name not in held))
            return inner(params, grads, rate)

        return step

    def _count(self, plan: _Plan, strengths: Strengths, memory: Memory) -> int:
        """Return how many layers are frozen now."""
        until = strengths.number("until")
        if until >= 1.0 and not self.gradual:
            return len(plan.names)
        left = 1.0 - memory["step"] / (until * plan.steps) if until > 0 else 0.0
        if left <= 0:
            return 0
        # rounded, so that 1 - 3/9 times 3 layers is 2, not the next number above it
        return math.ceil(round(left * len(plan.names), 9)) if self.gradual else len(plan.names)


class _Front(NamedTuple):
    """What is frozen at a moment: names of parameters, these, and the layers that keep running statistics."""

    names: frozenset[str]
    weights: tuple[nn.Parameter, ...]
    norms: tuple[nn.Module, ...]


class _Plan(NamedTuple):
    """The layers that are frozen at first, the deepest first.

    Attributes:
        names: of their parameters.
        weights: the parameters.
        norms: layers that keep running statistics, with the last of the frozen layers that must be frozen for each.
        steps: planned steps of the training.
        fronts: see ``front``.

    """

    names: tuple[tuple[str, ...], ...]
    weights: tuple[tuple[nn.Parameter, ...], ...]
    norms: tuple[tuple[int, nn.Module], ...]
    steps: int
    fronts: dict[int, _Front]

    def front(self, count: int) -> _Front:
        """Return what the deepest ``count`` layers hold; remembered, since each step asks."""
        if count not in self.fronts:
            self.fronts[count] = _Front(
                frozenset(name for layer in self.names[:count] for name in layer),
                tuple(p for layer in self.weights[:count] for p in layer),
                tuple(m for last, m in self.norms if last < count),
            )
        return self.fronts[count]


def _statistics(model: nn.Module, prefix: Sequence[Sequence[str]]) -> tuple[tuple[int, nn.Module], ...]:
    """Return the layers with running statistics that belong to frozen ones; one without weights goes with its block."""
    place = {name: i for i, layer in enumerate(prefix) for name in layer}
    keeps = {id(m) for m in tracking(model)}
    found: list[tuple[int, nn.Module]] = []
    for name, module in model.named_modules():
        if id(module) not in keeps:
            continue
        around = module
        while name and next(around.parameters(), None) is None:
            name = name.rpartition(".")[0]
            around = model.get_submodule(name)
        owned = [f"{name}.{short}" if name else short for short, _ in around.named_parameters()]
        if owned and all(one in place for one in owned):
            found.append((max(place[one] for one in owned), module))
    return tuple(found)


class _still(resting):  # noqa: N801 (a context manager, used as a verb)
    """Let weights have no gradient and statistics not move; those that the user froze or set so stay so after it."""

    __slots__ = ("_live",)

    def __init__(self, front: _Front) -> None:
        super().__init__(front.norms)
        self._live = [p for p in front.weights if p.requires_grad]

    def __enter__(self) -> None:
        for p in self._live:
            p.requires_grad = False
        super().__enter__()

    def __exit__(self, *fault: object) -> None:
        super().__exit__()
        for p in self._live:
            p.requires_grad = True
