"""Mixout."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass
from temperance.core.kit.sites import named
from temperance.core.leaves import Leaves
from temperance.core.random import site_mask
from temperance.core.regularizer import (
    Context,
    Effect,
    Memory,
    Objective,
    Rank,
    Regularizer,
    Strengths,
    Undo,
    techniques,
)
from temperance.core.rules import Rule
from temperance.core.traces import hold, hook_after, hook_before, together
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import RecipeError, SettingError

_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
_P, _START = "_temperance_mixout_p", "_temperance_mixout_start"


@techniques.add
@dataclass(frozen=True, repr=False)
class Mixout(Regularizer):
    """Put random weights back to their pretrained values while training.

        W' = (M·W₀ + (1 − M)·W − p·W₀)/(1 − p),  M = 1 with probability p, else 0

    Its expectation is W. With W₀ = 0 it is DropConnect. One mask per layer and pass, shared by the examples of a batch.
    Biases stay. W₀ are the weights at attach: load the pretrained ones before. The paper's formula draws for each
    weight alone; its figure and the authors' code draw for each input unit, with all weights that leave it:
    ``by="units"``. Their code also leaves the factor 1/(1 − p) out of the gradient; here the gradient is the formula's.

    Stage: layers.  Cost: one mask the size of each layer's weights, two copies of these weights (one in the memory,
    one beside each layer).
    Strengths: p in [0, 0.95], neutral 0, linear, stronger = up.
    Shapes: weights any → same.
    Use when: few examples and a large pretrained net.  Avoid when: training from scratch, or the tasks are far apart.

    Args:
        p: probability that a weight is put back.
        new: shell pattern of parameter names that are not pretrained, e.g. ``"classifier*"``; they are left alone.
        at: shell pattern of linear or convolution layers; without it, all linear layers.
        by: ``weights``: each is drawn alone; ``units``: those of one input unit are put back together.

    Raises:
        SettingError: p outside its range, or another ``by``.
        RecipeError: no layer found, or ``new`` fits nothing.

    Example:
        >>> Mixout(0.7, new="classifier*").to_dict()
        {'name': 'Mixout', 'p': 0.7, 'new': 'classifier*', 'by': 'weights'}

    References: Lee, Cho and Kang (2020), arXiv:1909.11299, section 3.

    """

    p: float = 0.7
    new: str | None = None
    at: str | None = None
    by: str = "weights"

    strengths: ClassVar[dict[str, Strength]] = {
        "p": Strength(0.7, low=0.0, high=0.95, neutral=0.0, words="share of the weights that are put back")
    }
    family: ClassVar[str] = "transfer"
    rank: ClassVar[Rank] = Rank.LAYERS
    draws: ClassVar[bool] = True
    effect: ClassVar[Effect] = {"p": ("departure", "up")}
    unique: ClassVar[bool] = True
    cost: ClassVar[Cost] = Cost(copies=2)
    roles: ClassVar[tuple[str, ...]] = ("noise on weights",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("noise on weights", "warn", "both put noise on the same weights", "Keep one of them"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "lee2020", "Lee, Cho, Kang", 2020,
            "Mixout: effective regularization to finetune large-scale pretrained language models", "ICLR", "1909.11299",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.by not in ("weights", "units"):
            raise SettingError(f"Mixout got by={self.by!r}", "it is 'weights' or 'units'", "Pick one")

    @classmethod
    def samples(cls) -> tuple[Mixout, ...]:
        """Return one of each way to draw."""
        return cls(), cls(by="units")

    def rewire(self, model: nn.Module, strengths: Strengths) -> Undo:
        """Let each layer see a mixture of its weights and the old ones while it runs."""
        undos = []
        for i, layer in enumerate(self._layers(model).values()):
            start: Tensor = layer.weight  # type: ignore[assignment]
            undos.append(hold(layer, _P, strengths["p"]))
            undos.append(hold(layer, _START, start.detach().clone()))
            undos.append(hook_before(layer, _Mix(f"{strengths.address}/{i}", _shape(layer, start, self.by))))
            undos.append(hook_after(layer, _restore, always=True))
        return together(undos)

    def plan(self, context: Context) -> dict[str, nn.Module]:
        """Return the layers by the name of their weight."""
        return self._layers(context.model)

    def begin(self, params: Leaves, context: Context) -> dict[str, Any]:
        """Remember the starting weights."""
        kept: dict[str, Tensor] = {
            name: params.get(name, layer.weight)  # type: ignore[arg-type]
            for name, layer in self._layers(context.model).items()
        }
        return {"start": Leaves.of(kept, owned=params.owned).clone()}

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Hand the starting weights to the layers: they are the memory's, also after it was loaded."""
        shown: Leaves | None = None

        def mixed(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            nonlocal shown
            start: Leaves = memory["start"]
            if strengths.mirror is None:
                own = {f"{name.removesuffix('weight')}{_START}": w for name, w in start.items()}
                return inner(params, {**buffers, **own}, batch, key)
            if start is not shown:
                layers: dict[str, nn.Module] = memory.plan
                for name, w in start.items():
                    getattr(layers[name], _START).copy_(w)
                shown = start
            return inner(params, buffers, batch, key)

        return mixed

    def _layers(self, model: nn.Module) -> dict[str, nn.Module]:
        """Return the layers that are mixed, by the name of their weight."""
        matched = [(n, m) for n, m in model.named_modules() if _is_linear(m)]
        if self.at is not None:
            matched = [(n, m) for n, m in named(model, self.at, "Mixout") if isinstance(m, _LAYERS) or _is_linear(m)]
        found = {f"{n}.weight" if n else "weight": m for n, m in matched}
        fresh = [n for n in found if self.new is not None and fnmatch.fnmatchcase(n, self.new)]
        kept = {n: m for n, m in found.items() if n not in fresh}
        if not kept or (self.new is not None and not fresh):
            raise RecipeError(
                f"Mixout(new={self.new!r}, at={self.at!r}) finds {len(kept)} pretrained and {len(fresh)} new layers "
                f"in {type(model).__name__}",
                f"it mixes the weights of nn.Linear, or of linear and convolution layers that you name"
                f"{': weights are like ' + ', '.join(list(found)[:6]) if found else ''}",
                "Give patterns that fit: Mixout(new='classifier*', at='encoder.*')",
            )
        return kept


def _is_linear(module: nn.Module) -> bool:
    """Return whether it is a linear layer whose weight is read when it runs; GPT-2 of transformers calls its Conv1D."""
    is_ours = isinstance(module, nn.Linear) and not isinstance(module, NonDynamicallyQuantizableLinear)
    return is_ours or (type(module).__name__ == "Conv1D" and isinstance(getattr(module, "weight", None), Tensor))


@dataclass(frozen=True)
class _Mix:
    site: str
    shape: tuple[int, ...]

    def __call__(self, layer: nn.Module, inputs: Any) -> None:
        if layer.training:
            # An attribute of the instance hides the parameter until `_restore`; the Parameter object stays in place.
            mask = site_mask(self.site, layer.weight, 1 - layer._temperance_mixout_p, self.shape)  # type: ignore[arg-type, operator]
            layer.__dict__["weight"] = mix(layer.weight, layer._temperance_mixout_start, mask)  # type: ignore[arg-type]


def _restore(layer: nn.Module, inputs: Any, output: Any) -> None:
    layer.__dict__.pop("weight", None)


def mix(weight: Tensor, start: Tensor, mask: Tensor) -> Tensor:
    """Return W₀ + (W − W₀)·mask, where ``mask`` is 0 or 1/(1 − p); exactly W where it is 1.

    Shapes: weight and start (out, in, …) → the same; mask the same, or with ones in its place.
    """
    return torch.lerp(start.to(weight.dtype), weight, mask)


def _shape(layer: nn.Module, weight: Tensor, by: str) -> tuple[int, ...]:
    """Return the shape of the mask: the weight's, or that of what leaves one input unit."""
    if by == "weights":
        return tuple(weight.shape)
    is_turned = type(layer).__name__ == "Conv1D" and not isinstance(layer, nn.Conv1d)  # (in, out), see `_is_linear`
    return (weight.shape[0], 1) if is_turned else (1, *weight.shape[1:])
