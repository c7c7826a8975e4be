"""DropConnect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear

from temperance.control.strength import Strength
from temperance.core.kit.sites import named
from temperance.core.random import site_mask
from temperance.core.regularizer import Effect, Rank, Regularizer, Strengths, Undo, techniques
from temperance.core.traces import hold, hook_after, hook_before, together
from temperance.records.citation import Citation
from temperance.records.errors import RecipeError

_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


@techniques.add
@dataclass(frozen=True, repr=False)
class DropConnect(Regularizer):
    """Switch off random weights in training and scale up the others.

        W' = W · M / (1 − p),  M = 1 with probability 1 − p, else 0

    One mask per layer and pass, shared by the examples of a batch (a mask per example would cost b copies of the
    weights). Biases stay.

    Stage: layers.  Cost: one mask the size of each layer's weights.  Strengths: p in [0, 0.95], neutral 0, linear,
    stronger = up.
    Shapes: weights any → same.
    Use when: fully connected layers over-fit and batches are small.  Avoid when: layers are much larger than a batch.

    Args:
        p: probability that a weight is off.
        at: shell pattern of linear or convolution layers; without it, all linear layers.

    Raises:
        SettingError: p outside its range.
        RecipeError: no layer found, or one of another kind matches ``at``.

    Example:
        >>> DropConnect(0.5, at="classifier.*").to_dict()
        {'name': 'DropConnect', 'p': 0.5, 'at': 'classifier.*'}

    References: Wan et al. (2013), ICML, section 3.

    """

    p: float = 0.2
    at: str | None = None

    strengths: ClassVar[dict[str, Strength]] = {
        "p": Strength(0.2, low=0.0, high=0.95, neutral=0.0, words="share of the weights that are switched off")
    }
    family: ClassVar[str] = "units"
    rank: ClassVar[Rank] = Rank.LAYERS
    draws: ClassVar[bool] = True
    effect: ClassVar[Effect] = {"p": ("loss_noise", "up")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("noise on weights",)
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation("wan2013", "Wan et al.", 2013, "Regularization of neural networks using DropConnect", "ICML"),
    )

    def rewire(self, model: nn.Module, strengths: Strengths) -> Undo:
        """Let each layer see a thinned copy of its weights while it runs."""
        undos = []
        for i, layer in enumerate(self._layers(model)):
            undos.append(hold(layer, "_temperance_dropconnect_p", strengths["p"]))
            undos.append(hook_before(layer, _Thin(f"{strengths.address}/{i}")))
            undos.append(hook_after(layer, _restore, always=True))
        return together(undos)

    def _layers(self, model: nn.Module) -> list[nn.Module]:
        if self.at is None:
            found: list[nn.Module] = [
                m
                for m in model.modules()
                if isinstance(m, nn.Linear) and not isinstance(m, NonDynamicallyQuantizableLinear)
            ]
            if found:
                return found
            raise RecipeError(
                f"DropConnect finds no linear layer in {type(model).__name__}",
                "it thins out the weights of nn.Linear, or of layers that you name",
                "Name some: DropConnect(at='conv*')",
            )
        matched = named(model, self.at, "DropConnect")
        chosen: list[nn.Module] = [m for _, m in matched if isinstance(m, _LAYERS)]
        if not chosen:
            raise RecipeError(
                f"DropConnect(at={self.at!r}) matches no linear or convolution layer, "
                f"but {type(matched[0][1]).__name__}",
                "it thins out the weights of nn.Linear and nn.Conv1d/2d/3d",
                "Give a pattern of such layers",
            )
        return chosen


@dataclass(frozen=True)
class _Thin:
    site: str

    def __call__(self, layer: nn.Module, inputs: Any) -> None:
        if layer.training:
            # An attribute of the instance hides the parameter until `_restore`; the Parameter object stays in place.
            # SpectralNorm may hide it already.
            layer.__dict__["weight"] = thin(layer.weight, layer._temperance_dropconnect_p, self.site)  # type: ignore[arg-type]


def _restore(layer: nn.Module, inputs: Any, output: Any) -> None:
    layer.__dict__.pop("weight", None)


def thin(weight: Tensor, p: Tensor, site: str) -> Tensor:
    """Return W·M/(1 − p) with the mask of ``site``; exact for p = 0.

    Shapes: weight (out, in, …) → the same; p ().
    """
    return weight * site_mask(site, weight, 1 - p)
