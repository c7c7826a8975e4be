"""Spectral normalization."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from temperance.control.strength import Strength
from temperance.core.kit.sites import named
from temperance.core.random import fold, normal, once
from temperance.core.regularizer import Effect, Rank, Regularizer, Strengths, Undo, techniques
from temperance.core.rules import Rule
from temperance.core.traces import hold, hook_after, hook_before, is_attached, together
from temperance.records.citation import Citation
from temperance.records.errors import RecipeError, SettingError

_KINDS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
_VECTOR = "temperance_left"
_USED = "temperance_used"
_FIRST = 15  # power iterations before the first step


@techniques.add
@dataclass(frozen=True, repr=False)
class SpectralNorm(Regularizer):
    """Divide each layer's weights by their largest singular value.

        W' = W/σ(W)ˢ,  σ by power iteration: v = Wᵀu/‖Wᵀu‖, u = Wv/‖Wv‖, σ = uᵀWv

    No parameter is replaced: a layer sees W' while it runs, at inference too; ``session.finish``
    writes W' into the weights, so that the shipped model is an ordinary one.

    Stage: layers.  Cost: two products of a matrix and a vector per layer and step.
    Strengths: share s in [0, 1], neutral 0, linear, stronger = up; 1 is the published form.
    Shapes: weights (o, …) are read as (o, rest).
    Use when: discriminators, nets that shall not amplify small changes.
    Avoid when: normalization layers follow (they undo it).

    Args:
        share: s.
        at: shell pattern of the layers, e.g. ``"critic.*"``; None: all linear and convolution layers.
        iterations: power iterations per pass in training.

    Raises:
        SettingError: s outside its range, or no iteration.
        RecipeError: no linear or convolution layer, or one whose weight is parametrized already.

    Example:
        >>> SpectralNorm(at="critic.*")
        SpectralNorm(at='critic.*')

    References: Miyato et al. (2018), arXiv:1802.05957, algorithm 1.

    """

    share: float = 1.0
    at: str | None = None
    iterations: int = 1

    strengths: ClassVar[dict[str, Strength]] = {
        "share": Strength(1.0, low=0.0, high=1.0, neutral=0.0, words="how far each layer is kept from amplifying")
    }
    takes_complex: ClassVar[bool] = False
    family: ClassVar[str] = "normalization"
    rank: ClassVar[Rank] = Rank.LAYERS
    effect: ClassVar[Effect] = {"share": ("departure", "up")}
    unique: ClassVar[bool] = True
    exceptions: ClassVar[dict[str, str]] = {
        "quiet": "it acts at inference by design",
        "whole_batch": "each pass takes a power iteration, so micro-batches bring the singular vectors further",
    }
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("decays", "warn", "the size of the weights no longer counts, only the learning rate changes", "Drop one"),
        Rule("sets norms", "warn", "the size of the weights no longer counts", "Keep one of them"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "miyato2018",
            "Miyato et al.",
            2018,
            "Spectral normalization for generative adversarial networks",
            "ICLR",
            "1802.05957",
        ),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.iterations < 1:
            raise SettingError(f"SpectralNorm got iterations={self.iterations!r}", "at least 1", "1 is the default")

    def rewire(self, model: nn.Module, strengths: Strengths) -> Undo:
        """Put a hook and a singular vector on every layer.

        Raises:
            RecipeError: there is no linear or convolution layer.

        """
        inside = {id(m) for a in model.modules() if isinstance(a, nn.MultiheadAttention) for m in a.modules()}
        found = named(model, self.at, "SpectralNorm") if self.at is not None else list(model.named_modules())
        layers = [(name, m) for name, m in found if isinstance(m, _KINDS) and id(m) not in inside and _is_trained(m)]
        if not layers:
            raise RecipeError(
                f"SpectralNorm finds no linear or convolution layer that is trained in {type(model).__name__}",
                "it divides the weights of such layers",
                "Leave it out, or name other layers with at='…'",
            )
        _require_plain(layers)
        undos: list[Undo] = []
        for name, layer in layers:
            undos.append(partial(_write, model, layer))
            undos.append(hold(layer, "temperance_share", strengths["share"]))
            undos.append(hold(layer, _VECTOR, _start(layer, name)))
            undos.append(hold(layer, _USED, torch.zeros((), device=layer.weight.device)))  # type: ignore[arg-type]
            undos.append(hook_before(layer, _Divide(self.iterations, f"{strengths.address}/{name}")))
            undos.append(hook_after(layer, _restore, always=True))
        # the weights are written while the vectors are still there
        return together([undo for i, undo in enumerate(undos) if i % 6] + undos[0::6])

    def shipped(self, model: nn.Module) -> dict[str, Tensor]:
        """Return the divided weights (o, …) by name, as ``finish`` will write them."""
        found = {}
        for name, layer in model.named_modules():
            if _VECTOR in layer._buffers and bool(getattr(layer, _USED)):  # wrappers of PEFT pass ``getattr`` on
                weight = layer._parameters["weight"].detach()  # type: ignore[union-attr]
                share = largest(weight, getattr(layer, _VECTOR)) ** -layer.temperance_share  # type: ignore[operator]
                found[f"{name}.weight".lstrip(".")] = weight * share.to(weight.dtype)
        return found


def _is_trained(layer: nn.Module) -> bool:
    """Return whether the layer's weight is not frozen; one that is computed is told of elsewhere."""
    weight = layer._parameters.get("weight")
    return weight is None or weight.requires_grad


def _require_plain(layers: Sequence[tuple[str, nn.Module]]) -> None:
    computed = [name for name, layer in layers if "weight" not in layer._parameters]
    if computed:
        raise RecipeError(
            f"SpectralNorm meets the layer {computed[0]!r}, whose weight is computed anew at every pass",
            "it divides a weight that is a parameter",
            "Remove the layer's parametrization, or name other layers with at='…'",
        )


def _start(layer: nn.Module, name: str) -> Tensor:
    weight: Tensor = layer.weight.detach().flatten(1)  # type: ignore[operator,union-attr,assignment]
    left = normal(fold(0, "spectral_norm", name), (weight.shape[0],), weight.device, torch.float32)
    return iterate(weight, left.to(weight.dtype), _FIRST)


def _write(model: nn.Module, layer: Any) -> None:
    # not where attaching failed half-way, nor in a layer that no training pass went through: it is as it was
    if is_attached(model) and bool(getattr(layer, _USED)):
        with torch.no_grad():
            left = getattr(layer, _VECTOR)
            layer.weight.mul_(largest(layer.weight, left) ** -layer.temperance_share)


@dataclass(frozen=True)
class _Divide:
    iterations: int
    site: str

    def __call__(self, layer: Any, inputs: Any) -> None:
        weight, left = layer._parameters["weight"], getattr(layer, _VECTOR)
        device = weight.device.type
        with torch.autocast(device, enabled=False) if torch.is_autocast_enabled(device) else nullcontext():
            if layer.training:
                left = once(self.site, partial(self._move, layer, weight, left))
            factor = largest(weight, left) ** -layer.temperance_share
            # An attribute of the instance hides the parameter until `_restore`; the Parameter object stays in place.
            layer.__dict__["weight"] = layer.weight * factor.to(weight.dtype)

    @torch.no_grad()
    def _move(self, layer: nn.Module, weight: Tensor, left: Tensor) -> Tensor:
        """Iterate on the layer's vector and return a copy, which later passes do not move."""
        new = iterate(weight.detach().flatten(1), left, self.iterations)
        left.copy_(new)
        getattr(layer, _USED).fill_(1.0)
        return new


def _restore(layer: nn.Module, inputs: Any, output: Any) -> None:
    layer.__dict__.pop("weight", None)


def iterate(weight: Tensor, left: Tensor, times: int) -> Tensor:
    """Return u after power iterations; shapes (o, r), (o,) → (o,)."""
    for _ in range(times):
        right = _unit(weight.T @ left)
        left = _unit(weight @ right)
    return left


def largest(weight: Tensor, left: Tensor) -> Tensor:
    """Return σ = uᵀ·W·v with v = Wᵀu/‖Wᵀu‖ held fixed, (); the gradient flows through W alone."""
    flat, left = weight.flatten(1), left.detach().clone()
    right = _unit(flat.detach().T @ left).detach()
    return torch.dot(left, flat @ right).clamp_min(1e-12)


def _unit(x: Tensor) -> Tensor:
    length: Tensor = torch.linalg.vector_norm(x)
    return x / length.clamp_min(1e-12)
