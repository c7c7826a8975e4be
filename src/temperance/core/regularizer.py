"""The abstract regularizer: a frozen description of one technique that wraps one stage of the training step."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from enum import IntEnum
from typing import Any, ClassVar, Literal, NamedTuple, Self

import torch
from torch import Tensor, nn

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass
from temperance.core.leaves import Leaves
from temperance.core.rules import Rule
from temperance.core.traces import Undo as Undo
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.registry import Registry
from temperance.records.restore import settings

Rate = float | list[float] | Tensor
Objective = Callable[[Leaves, Mapping[str, Tensor], Batch, Any], Pass]
Gradient = Callable[[Leaves, Mapping[str, Tensor], Any, Any], tuple[Leaves, Pass]]
Update = Callable[[Leaves, Leaves, Rate], Leaves]
Effect = Mapping[str, tuple[str, Literal["up", "down"]]]

STAGES = ("rewire", "objective", "gradient", "update", "served")


class Rank(IntEnum):
    """The order inside a stage: in which order the effects happen."""

    AUGMENT = 10
    MIX = 20
    ATTACK = 25
    TARGET = 30
    PENALTY = 40
    ASCEND = 50
    NOISE = 60
    CLIP = 70
    RATE = 75
    DECAY = 80
    PROJECT = 90
    AVERAGE = 100
    LAYERS = 110


class Strengths(dict[str, Tensor]):
    """The current strengths of one regularizer, tensors by name; solo keeps a float mirror beside them."""

    def __init__(self, values: Mapping[str, Tensor], *, address: str, mirror: dict[str, float] | None = None) -> None:
        super().__init__(values)
        self.address = address
        self.mirror = mirror
        self._followers: dict[str, list[Callable[[float], None]]] = {}

    def follow(self, name: str, tell: Callable[[float], None]) -> Undo:
        """Call ``tell`` with the value of a strength now and whenever it moves; return what ends it."""
        self._followers.setdefault(name, []).append(tell)
        tell(self.mirror[name] if self.mirror is not None else float(self[name]))
        return lambda: self._followers[name].remove(tell)

    def move(self, name: str, value: float) -> None:
        """Set a strength of a solo session: its tensor, its mirror, and what follows it."""
        if self.mirror is None:
            raise RuntimeError(f"{self.address}.{name} has no mirror: a pure step brings its strengths")
        self.mirror[name] = value
        self[name].fill_(value)
        for tell in self._followers.get(name, ()):
            tell(value)

    def number(self, name: str) -> Any:
        """Return the float in a solo step (no tensor operation needed), else the tensor (so nothing recompiles).

        A strength with a value per member has no float: its tensor (k,) is returned.
        """
        if self.mirror is not None and name in self.mirror and not torch.compiler.is_compiling():
            return self.mirror[name]
        return self[name]

    def is_off(self, name: str, neutral: float = 0.0) -> bool:
        """Return whether the strength is known to be neutral; False under ``vmap``, where members differ."""
        return self.mirror is not None and self.mirror.get(name) == neutral


class Memory(dict[str, Any]):
    """What one regularizer remembers between steps: tensors or ``Leaves`` by name.

    ``plan`` holds its fixed facts about this model (from ``Regularizer.plan``), ``innermost`` the objective without any
    technique, set where the stages are composed: a teacher is asked by it, so no other technique remembers that pass.
    ``settled`` is the plan whose weights the loss is known to reach, all of them, after so many ``looks``; see
    ``kit.reach``. None is state.
    """

    innermost: Objective
    journal: list[tuple[Tensor, Tensor, Tensor]] | None = None  # tables, rows overwritten and what stood there
    settled: Any = None
    looks: int = 0  # below 0: some pass did not reach all of them

    def __init__(self, values: Mapping[str, Any], *, address: str, plan: Any = None) -> None:
        super().__init__(values)
        self.address, self.plan = address, plan


class Context(NamedTuple):
    """What is known when a recipe is attached.

    Attributes:
        model: the user's module (after earlier techniques rewired it).
        lr: the optimizer's largest learning rate.
        steps_per_epoch: optimizer steps per epoch, or None where unknown.
        epochs: planned epochs, or None.
        device: device of the parameters.
        steps: planned optimizer steps, or None.
        optimizer: the user's ``torch.optim`` optimizer; None in ``compile`` and the population.
        wrapped: ``model`` in the wrappers that the user gave it in; None in ``compile`` and the population.

    """

    model: nn.Module
    lr: float
    steps_per_epoch: int | None = None
    epochs: int | None = None
    device: torch.device = torch.device("cpu")
    steps: int | None = None
    optimizer: Any = None
    wrapped: nn.Module | None = None


@dataclass(frozen=True)
class Regularizer(ABC):  # noqa: B024 (every stage may stay as it is)
    """One technique. A concrete class overrides the stages that it needs and is final.

    Class attributes:
        strengths: the knobs by name; each is also a field of the dataclass, with its starting value.
        family: folder under ``regularizers/``.
        rank: place inside the stage.
        cost: declared passes, checked by counting.
        citations: sources.
        averages: the weights it serves differ from the trained ones (BatchNorm must be re-estimated).
        exceptions: conformance checks that do not apply, with the reason.
        effect: per strength the quantity of ``temperance.testing.effects`` that a stronger value moves, and which way.
        unique: a recipe may hold it only once.
        roles: what it does to a training, in one or two words each, so that rules of others can name it.
        rules: what happens where it meets another technique.
        moves_inputs: it acts on the inputs in ways that need numbers with decimals; where the inputs are tokens it is
            given the model's input embedding (``Batch.seam``).
        draws: each training pass draws noise at the places where it was put (``random.site_mask`` and its like).
        takes_over: without ``at`` it takes over the model's own dropout; at p = 0 the model has none.
        reads_gradients: it computes with gradients in its ``update``, so they must be dense.
        takes_complex: it can compute with complex weights.
        reads: signals that ``hear`` needs; they are measured at every ``validate``.
        by_weight: memories with one number for each of ``weights(plan)``, in that order.
        per_member: strengths that may have a value for each member of a net (``core.members``).
    """

    strengths: ClassVar[Mapping[str, Strength]] = {}
    family: ClassVar[str] = ""
    rank: ClassVar[Rank] = Rank.PENALTY
    cost: ClassVar[Cost] = Cost()
    citations: ClassVar[tuple[Citation, ...]] = ()
    averages: ClassVar[bool] = False
    exceptions: ClassVar[Mapping[str, str]] = {}
    effect: ClassVar[Effect] = {}
    unique: ClassVar[bool] = False
    roles: ClassVar[tuple[str, ...]] = ()
    rules: ClassVar[tuple[Rule, ...]] = ()
    reads: ClassVar[frozenset[str]] = frozenset()
    per_member: ClassVar[frozenset[str]] = frozenset()
    by_weight: ClassVar[frozenset[str]] = frozenset()
    moves_inputs: ClassVar[bool] = False
    draws: ClassVar[bool] = False
    takes_over: ClassVar[bool] = False
    reads_gradients: ClassVar[bool] = False
    takes_complex: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name, spec in self.strengths.items():
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, spec.check(type(self).__name__, name, value))

    # -- the five stages; identity where not overridden ---------------------------------------------------------

    def rewire(self, model: nn.Module, strengths: Strengths) -> Undo | None:
        """Change the model in place; return what undoes it. None: this technique does not live in the layers."""
        return None

    def shipped(self, model: nn.Module) -> dict[str, Tensor]:
        """Return the weights that ``finish`` will write otherwise than they stand in the model now, by name.

        Shapes: those of the weights.
        """
        return {}

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Wrap batch → loss."""
        return inner

    def gradient(self, inner: Gradient, strengths: Strengths, memory: Memory) -> Gradient:
        """Wrap loss → gradients; may call ``inner`` again, at other parameters."""
        return inner

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Wrap the optimizer's step. Write memory by assignment: ``memory["mean"] = memory["mean"].lerp_(…)``."""
        return inner

    def served(self, params: Leaves, memory: Memory) -> Leaves:
        """Return the weights to evaluate and ship."""
        return params

    # -- what goes with them ------------------------------------------------------------------------------------

    def plan(self, context: Context) -> Any:
        """Return fixed facts about this model, e.g. which weights to act on; ``memory.plan`` gives them back."""
        return None

    def weights(self, plan: Any) -> tuple[str, ...]:
        """Return the names of the weights in a ``plan``, in the order of the memories that are ``by_weight``."""
        return plan if isinstance(plan, tuple) and all(isinstance(name, str) for name in plan) else ()

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Return the memory before the first step."""
        return {}

    def hear(self, signals: Mapping[str, Any], memory: Mapping[str, Any]) -> dict[str, Any]:
        """Return what changes in memory now that ``signals`` were measured: shape () or (k,), NaN where unknown."""
        return {}

    def select(
        self, params: Leaves, strengths: Strengths, memory: Memory, score: Callable[[Leaves], float]
    ) -> dict[str, Any]:
        """Return what changes in memory at a validation; ``score(weights)`` is the mean loss on its rows."""
        return {}

    def alarms(self, memory: Mapping[str, Any]) -> tuple[str, ...]:
        """Return a sentence for each thing that went wrong so far; they stand in ``session.warnings``."""
        return ()

    def unbegun(self, memory: Mapping[str, Any]) -> tuple[str, ...]:
        """Return a sentence for what it was to do and had not begun when the training ended; told by ``finish``."""
        return ()

    def initial(self, context: Context) -> dict[str, float]:
        """Return the starting strengths; the fields unless a technique derives them from the context."""
        return {name: float(getattr(self, name)) for name in self.strengths}

    def check(self, context: Context, optimizer: Any) -> None:  # noqa: B027
        """Raise ``RecipeError`` where this technique cannot work on this model and optimizer."""

    @classmethod
    def stages(cls) -> tuple[str, ...]:
        """Return the stages that the class overrides, in order."""
        return tuple(stage for stage in STAGES if getattr(cls, stage) is not getattr(Regularizer, stage))

    @classmethod
    def samples(cls) -> Iterable[Self]:
        """Return instances that the conformance suite runs; the defaults unless overridden."""
        return (cls(),)

    @classmethod
    def summary(cls) -> str:
        """Return the first line of the docstring."""
        return (cls.__doc__ or cls.__name__).strip().split("\n")[0]

    def explain(self) -> str:
        """Return what this technique does here, in one plain sentence."""
        values = ", ".join(
            f"{name} {getattr(self, name):g}" for name in self.strengths if getattr(self, name) is not None
        )
        line = self.summary().rstrip(".")
        return f"{type(self).__name__}: {line[0].lower()}{line[1:]}" + (f" ({values})." if values else ".")

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"name": class, settings…}``; None settings are left out."""
        rows = {f.name: getattr(self, f.name) for f in fields(self)}
        kept = {
            key: list(value) if isinstance(value, tuple) else value for key, value in rows.items() if value is not None
        }
        return {"name": type(self).__name__, **kept}

    @staticmethod
    def from_dict(row: Mapping[str, Any]) -> Regularizer:
        """Rebuild any registered technique from ``to_dict``.

        Raises:
            SettingError: an unknown technique or setting, or a value outside its range.

        """
        cls = techniques[str(row["name"])]
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in settings(cls, row).items()})

    def __repr__(self) -> str:
        shown = [
            f"{f.name}={getattr(self, f.name)!r}"
            for f in fields(self)
            if f.default is MISSING or getattr(self, f.name) != f.default
        ]
        return f"{type(self).__name__}({', '.join(shown)})"


techniques: Registry[Regularizer] = Registry("technique", "temperance.regularizers")
