"""Gaussian dropout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from temperance.control.strength import Strength
from temperance.core.kit.sites import change_output, units
from temperance.core.random import site_factor
from temperance.core.regularizer import Effect, Rank, Regularizer, Strengths, Undo, techniques
from temperance.core.rules import Rule
from temperance.core.traces import hold, together
from temperance.records.citation import Citation


@techniques.add
@dataclass(frozen=True, repr=False)
class GaussianDropout(Regularizer):
    """Multiply units by Gaussian noise around one in training.

        x' = x · (1 + √(p / (1 − p)) · ε),  ε ~ N(0, 1)

    Mean and variance are those of dropout with the same p, but no unit is ever switched off. Without ``at`` it takes
    the place of the model's dropout layers; where there are none it follows each hidden activation. Inside fused
    attention, recurrent layers and functional calls, where only a rate can be given, units are switched off at rate p.

    Stage: layers.  Cost: one normal draw per unit (dearer than a mask).  Strengths: p in [0, 0.95], neutral 0, linear,
    stronger = up.
    Shapes: any → same.
    Use when: dropout helps but its zeros hurt (few units, sums over units).  Avoid when: outputs must stay positive;
    training sees each example once.

    Args:
        p: the dropout rate whose variance the noise has.
        at: shell pattern of module names whose outputs are disturbed, e.g. ``"layers.*.act"``.

    Raises:
        SettingError: p outside its range.
        RecipeError: no place found.

    Example:
        >>> GaussianDropout(0.2, at="hidden.*").to_dict()
        {'name': 'GaussianDropout', 'p': 0.2, 'at': 'hidden.*'}

    References: Srivastava et al. (2014), JMLR 15, section 10; Kingma et al. (2015), arXiv:1506.02557, section 3.1.

    """

    p: float = 0.1
    at: str | None = None

    strengths: ClassVar[dict[str, Strength]] = {
        "p": Strength(0.1, low=0.0, high=0.95, neutral=0.0, words="how strongly units are disturbed")
    }
    family: ClassVar[str] = "units"
    rank: ClassVar[Rank] = Rank.LAYERS
    draws: ClassVar[bool] = True
    takes_over: ClassVar[bool] = True
    effect: ClassVar[Effect] = {"p": ("loss_noise", "up")}
    roles: ClassVar[tuple[str, ...]] = ("noise on units",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("Dropout", "warn", "both put noise on the same units", "One of them is usually enough"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "srivastava2014",
            "Srivastava et al.",
            2014,
            "Dropout: a simple way to prevent neural networks from overfitting",
            "JMLR 15",
        ),
        Citation(
            "kingma2015",
            "Kingma et al.",
            2015,
            "Variational dropout and the local reparameterization trick",
            "NeurIPS",
            "1506.02557",
            "section 3.1",
        ),
    )

    def rewire(self, model: nn.Module, strengths: Strengths) -> Undo:
        """Disturb what each place gives."""
        places, undo = units(model, self.at, "GaussianDropout", strengths, "p", float)
        undos = [undo]
        buffer = f"_temperance_{strengths.address}_p"
        for i, place in enumerate(places):
            undos.append(hold(place, buffer, strengths["p"]))
            undos.append(change_output(place, _Disturb(f"{strengths.address}/{i}", buffer, strengths)))
        return together(undos)


@dataclass(frozen=True)
class _Disturb:
    site: str
    buffer: str
    strengths: Strengths

    def __call__(self, owner: nn.Module, out: Tensor) -> Tensor:
        written = getattr(owner, "written", None)
        p = self.strengths.number("p") if written is None else written
        return disturb(out, getattr(owner, self.buffer) if isinstance(p, Tensor) and written is None else p, self.site)


def disturb(x: Tensor, p: Tensor | float, site: str) -> Tensor:
    """Return x·(1 + √(p/(1 − p))·ε) with the noise of ``site``; exact for p = 0.

    Shapes: (b, …) → the same; p ().
    """
    return x * site_factor(site, x, (p / (1 - p)) ** 0.5)
