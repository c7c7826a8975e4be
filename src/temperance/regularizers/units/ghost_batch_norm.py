"""Ghost batch normalization."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from types import MethodType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from temperance.control.strength import Strength
from temperance.core.kit.sites import named
from temperance.core.regularizer import Effect, Rank, Regularizer, Strengths, Undo, techniques
from temperance.core.traces import hold, replace_forward, together
from temperance.records.citation import Citation
from temperance.records.errors import RecipeError, SettingError

_LAYERS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@techniques.add
@dataclass(frozen=True, repr=False)
class GhostBatchNorm(Regularizer):
    """Let batch normalization see small groups of a batch, so that it stays noisy in large batches.

        groups of about ``size`` examples;  ghost(x) = γ·(x − mean of its group)/√(variance of its group + ε) + β
        x' = (1 − share)·BN(x) + share·ghost(x)

    The running statistics that serve at inference are those of the whole batch. With ``size`` at or above the batch
    it is plain batch normalization.

    Stage: layers.  Cost: a second normalization.  Strengths: share in [0, 1], neutral 0, linear, stronger = up.
    Shapes: (b, c, …) → same.
    Use when: batches are large (256 and more) and the net has BatchNorm.  Avoid when: batches are small already.

    Args:
        share: how much of the output comes from the small groups.
        size: virtual batch size; the batch is cut into ceil(b / size) groups of nearly equal size.
        at: shell pattern of BatchNorm layers; without it, all.

    Raises:
        SettingError: share outside its range, or size below 2.
        RecipeError: the model has no BatchNorm where asked.

    Example:
        >>> GhostBatchNorm(size=64).to_dict()
        {'name': 'GhostBatchNorm', 'share': 1.0, 'size': 64}

    References: Hoffer et al. (2017), arXiv:1705.08741, algorithm 1; Summers and Dinneen (2020), arXiv:1906.03548.

    """

    share: float = 1.0
    size: int = 32
    at: str | None = None

    strengths: ClassVar[dict[str, Strength]] = {
        "share": Strength(1.0, low=0.0, high=1.0, neutral=0.0, words="how much small groups decide the normalization")
    }
    family: ClassVar[str] = "units"
    rank: ClassVar[Rank] = Rank.LAYERS
    effect: ClassVar[Effect] = {"share": ("departure", "up")}
    unique: ClassVar[bool] = True
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation("hoffer2017", "Hoffer et al.", 2017, "Train longer, generalize better", "NeurIPS", "1705.08741"),
        Citation(
            "summers2020", "Summers and Dinneen", 2020,
            "Four things everyone should know to improve batch normalization", "ICLR", "1906.03548",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.size, int) or self.size < 2:
            raise SettingError(
                f"GhostBatchNorm got size={self.size!r}", "size is a whole number from 2", "32 is the default"
            )

    @classmethod
    def samples(cls) -> tuple[GhostBatchNorm, ...]:
        """Return a size below that of small batches."""
        return (cls(size=4),)

    def rewire(self, model: nn.Module, strengths: Strengths) -> Undo:
        """Blend what each BatchNorm gives with what it would give on small groups.

        Raises:
            RecipeError: there is no BatchNorm layer.

        """
        matched = named(model, self.at, "GhostBatchNorm") if self.at is not None else list(model.named_modules())
        layers = [m for _, m in matched if isinstance(m, _LAYERS)]
        if not layers:
            where = type(model).__name__ if self.at is None else f"the modules that match {self.at!r}"
            raise RecipeError(
                f"GhostBatchNorm finds no BatchNorm layer in {where}",
                "it changes how nn.BatchNorm1d/2d/3d normalize in training",
                "Leave it out of recipes for nets without BatchNorm",
            )
        undos = []
        for layer in layers:
            undos.append(hold(layer, "_temperance_ghost_batch_norm_share", strengths["share"]))
            undos.append(replace_forward(layer, MethodType(_Blend(self.size, strengths), layer)))
        return together(undos)


@dataclass(frozen=True)
class _Blend:
    size: int
    strengths: Strengths

    def __call__(self, layer: Any, x: Tensor) -> Tensor:
        plain = partial(type(layer).forward, layer)
        if not layer.training or x.shape[0] <= self.size:
            return plain(x)  # type: ignore[no-any-return]
        share = self.strengths.number("share")
        if not isinstance(share, Tensor) and share == 1:
            with torch.no_grad():
                plain(x)  # for its running statistics alone
            return ghost(x, self.size, layer.weight, layer.bias, layer.eps)
        output = plain(x)
        small = ghost(x, self.size, layer.weight, layer.bias, layer.eps).to(output.dtype)
        return torch.lerp(output, small, layer._temperance_ghost_batch_norm_share.to(output.dtype))


def ghost(x: Tensor, size: int, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
    """Return x normalized in ceil(b / size) groups of consecutive examples.

    Shapes: x (b, c, …) → the same; weight and bias (c,).
    """
    count = -(-x.shape[0] // size)
    small, larger = divmod(x.shape[0], count)
    groups = torch.split_with_sizes(x, [small + (i < larger) for i in range(count)])
    return torch.cat([functional.batch_norm(g, None, None, weight, bias, True, 0.0, eps) for g in groups])
