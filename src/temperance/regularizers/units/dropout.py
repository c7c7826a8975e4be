"""Dropout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from temperance.control.strength import Strength
from temperance.core.kit.dropouts import StandIn, drop, not_taken
from temperance.core.kit.sites import change_output, units
from temperance.core.regularizer import Context, Effect, Memory, Rank, Regularizer, Strengths, Undo, techniques
from temperance.core.traces import hold, together
from temperance.records.citation import Citation


@techniques.add
@dataclass(frozen=True, repr=False)
class Dropout(Regularizer):
    """Switch off random units in training and scale up the others.

        x' = x · m / (1 − p),  m = 1 with probability 1 − p, else 0

    Without ``at`` it takes over the model's existing dropout: its layers (``Dropout1d/2d/3d`` keep dropping whole
    channels; ``layer.p`` reads p, and a rate written to it holds for that layer), and all rates above 0 that modules
    keep as numbers under a name with "drop" in it, e.g. of ``nn.MultiheadAttention``, ``nn.LSTM``, fused attention and
    ``F.dropout``. A subclass of a dropout layer with a forward of its own keeps its way to draw, at p. Noise that it
    cannot reach stands in ``session.warnings``. Where there is no dropout it follows each hidden activation.

    Stage: layers.  Cost: free.  Strengths: p in [0, 0.95], neutral 0, linear, stronger = up.
    Shapes: any → same; channel dropout draws one mask value per (b, c).
    Use when: wide layers over-fit.  Avoid when: training sees each example once; right before BatchNorm.

    Args:
        p: probability that a unit is off.
        at: shell pattern of module names whose outputs are dropped, e.g. ``"layers.*.act"``.

    Raises:
        SettingError: p outside its range.
        RecipeError: no place found.

    Example:
        >>> Dropout(0.2, at="hidden.*").to_dict()
        {'name': 'Dropout', 'p': 0.2, 'at': 'hidden.*'}

    References: Srivastava et al. (2014), JMLR 15, section 4.

    """

    p: float = 0.1
    at: str | None = None

    strengths: ClassVar[dict[str, Strength]] = {
        "p": Strength(0.1, low=0.0, high=0.95, neutral=0.0, words="share of the units that are switched off")
    }
    family: ClassVar[str] = "units"
    rank: ClassVar[Rank] = Rank.LAYERS
    draws: ClassVar[bool] = True
    takes_over: ClassVar[bool] = True
    effect: ClassVar[Effect] = {"p": ("loss_noise", "up")}
    per_member: ClassVar[frozenset[str]] = frozenset({"p"})
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "srivastava2014",
            "Srivastava et al.",
            2014,
            "Dropout: a simple way to prevent neural networks from overfitting",
            "JMLR 15",
        ),
    )

    def rewire(self, model: nn.Module, strengths: Strengths) -> Undo:
        """Take over dropout layers, or follow activations, or the modules that match ``at``.

        Raises:
            RecipeError: there is no place to act.

        """
        places, undo = units(model, self.at, "Dropout", strengths, "p", float, drops=True)
        followed = [place for place in places if not isinstance(place, StandIn)]
        return together([undo, _follow(followed, strengths)])

    def plan(self, context: Context) -> tuple[str, ...]:
        """Return what is said about noise of the model that it cannot take over."""
        return not_taken(context.model) if self.at is None else ()

    def alarms(self, memory: Memory) -> tuple[str, ...]:  # type: ignore[override]
        """Tell about noise of the model that it has not taken over."""
        return tuple(memory.plan or ())


def _follow(modules: Sequence[nn.Module], strengths: Strengths) -> Undo:
    undos = []
    buffer = f"_temperance_{strengths.address}_p"
    for i, module in enumerate(modules):
        undos.append(hold(module, buffer, strengths["p"]))
        undos.append(change_output(module, _Drop(f"{strengths.address}/{i}", buffer)))
    return together(undos)


@dataclass(frozen=True)
class _Drop:
    site: str
    buffer: str

    def __call__(self, owner: nn.Module, out: Tensor) -> Tensor:
        return drop(out, getattr(owner, self.buffer), self.site)
