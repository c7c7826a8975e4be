"""Dropout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from temperance.control.strength import Strength
from temperance.core.kit.sites import ACTIVATIONS, change_output, hold, named, of_type, together
from temperance.core.members import spread
from temperance.core.random import site_mask
from temperance.core.regularizer import Effect, Rank, Regularizer, Strengths, Undo, techniques
from temperance.records.citation import Citation
from temperance.records.errors import RecipeError

_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)


@techniques.add
@dataclass(frozen=True, repr=False)
class Dropout(Regularizer):
    """Switch off random units in training and scale up the others.

        x' = x · m / (1 − p),  m = 1 with probability 1 − p, else 0

    Without ``at`` it takes over the model's existing dropout layers; where there are none it follows each hidden
    activation. ``Dropout1d/2d/3d`` layers keep dropping whole channels.

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
        if self.at is not None:
            return _follow([m for _, m in named(model, self.at, "Dropout")], strengths)
        taken = [
            _take_over(parent, name, child, strengths, i) for i, (parent, name, child) in enumerate(_layers(model))
        ]
        if taken:
            return together(taken)
        hidden: list[nn.Module] = [m for m in model.modules() if isinstance(m, ACTIVATIONS)]
        if not hidden:
            raise RecipeError(
                f"Dropout finds no dropout layer and no activation module in {type(model).__name__}",
                "it needs a place to act",
                "Name one: Dropout(at='layers.*'), or add nn.Dropout layers (functional F.relu cannot be seen)",
            )
        return _follow(hidden, strengths)


class DropoutSite(nn.Module):
    """Stands where an ``nn.Dropout`` stood; ``channels`` drops whole channels."""

    def __init__(self, p: Tensor, site: str, *, channels: bool) -> None:
        super().__init__()
        self.register_buffer("temperance_p", p, persistent=False)
        self.site, self.channels = site, channels

    def forward(self, x: Tensor) -> Tensor:
        """Drop in training; return ``x`` itself otherwise.

        Shapes: (b, …) → the same.
        """
        return drop(x, self.temperance_p, self.site, channels=self.channels) if self.training else x  # type: ignore[arg-type]


def drop(x: Tensor, p: Tensor, site: str, *, channels: bool = False) -> Tensor:
    """Return x·m/(1 − p) with the mask of ``site``; one multiplication by a scaled mask, exact for p = 0.

    Shapes: (b, …) → the same; p () or (k,).
    """
    shape = (*x.shape[:2], *[1] * (x.dim() - 2)) if channels else None
    return x * site_mask(site, x, 1 - spread(p, x), shape)


def _layers(model: nn.Module) -> list[tuple[nn.Module, str, nn.Module]]:
    return list(of_type(model, _DROPOUTS))


def _take_over(parent: nn.Module, name: str, child: nn.Module, strengths: Strengths, i: int) -> Undo:
    site = DropoutSite(strengths["p"], f"{strengths.address}/{i}", channels=not isinstance(child, nn.Dropout))
    site.train(child.training)
    setattr(parent, name, site)
    return lambda: setattr(parent, name, child)


def _follow(modules: Sequence[nn.Module], strengths: Strengths) -> Undo:
    undos = []
    buffer = f"{strengths.address}_p"
    for i, module in enumerate(modules):
        site = f"{strengths.address}/{i}"
        undos.append(hold(module, buffer, strengths["p"]))
        undos.append(change_output(module, lambda owner, out, site=site: drop(out, getattr(owner, buffer), site)))  # type: ignore[misc]
    return together(undos)
