"""DropBlock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from temperance.control.strength import Strength
from temperance.core.kit.sites import activations, change_output, named
from temperance.core.random import is_batched, site_uniform
from temperance.core.regularizer import Effect, Rank, Regularizer, Strengths, Undo, techniques
from temperance.core.traces import hold, hook_after, together
from temperance.records.citation import Citation
from temperance.records.errors import RecipeError, SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class DropBlock(Regularizer):
    """Switch off random squares of feature maps in training and scale up the rest.

        γ = p / s² · h·w / ((h − s + 1)(w − s + 1));  corners ~ Bernoulli(γ), each switches off an s × s square
        x' = x · m · (count of m) / (sum of m)

    The second factor of γ corrects for squares that must lie inside the map; without it less than p is dropped. Each
    channel has squares of its own. On maps smaller than ``size`` the square shrinks to fit.

    Stage: layers.  Cost: one draw per map and one write per dropped unit (a max-pooling on GPUs).  Strengths: p in
    [0, 0.5], neutral 0, linear, stronger = up.
    Shapes: (b, c, h, w) → same.
    Use when: convolution nets over-fit; let p ramp up (``Linear``).  Avoid when: tables; maps of a few pixels.

    Args:
        p: share of the map that is switched off, about (squares may overlap).
        size: side s of a square, in pixels of the map.
        at: shell pattern of modules whose outputs are dropped; without it each activation's, where it has four axes.

    Raises:
        SettingError: p or size outside its range.
        RecipeError: the model has no convolution, or a module that matches ``at`` gives no feature map.

    Example:
        >>> DropBlock(0.1, size=3).to_dict()
        {'name': 'DropBlock', 'p': 0.1, 'size': 3}

    References: Ghiasi et al. (2018), arXiv:1810.12890, section 3, eq. 1 and algorithm 1.

    """

    p: float = 0.1
    size: int = 7
    at: str | None = None

    strengths: ClassVar[dict[str, Strength]] = {
        "p": Strength(0.1, low=0.0, high=0.5, neutral=0.0, words="share of each feature map that is switched off")
    }
    family: ClassVar[str] = "units"
    rank: ClassVar[Rank] = Rank.LAYERS
    draws: ClassVar[bool] = True
    effect: ClassVar[Effect] = {"p": ("loss_noise", "up")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("noise on units",)
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "ghiasi2018",
            "Ghiasi et al.",
            2018,
            "DropBlock: a regularization method for convolutional networks",
            "NeurIPS",
            "1810.12890",
            "section 3",
        ),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.size, int) or self.size < 1:
            raise SettingError(f"DropBlock got size={self.size!r}", "size is a whole number from 1", "7 is the default")

    @classmethod
    def samples(cls) -> tuple[DropBlock, ...]:
        """Return a size that fits small maps."""
        return (cls(0.1, size=3),)

    def rewire(self, model: nn.Module, strengths: Strengths) -> Undo:
        """Follow the activations, or the modules that match ``at``."""
        undos = []
        seen = _Seen()
        for i, (name, place) in enumerate(self._places(model)):
            undos.append(hold(place, "_temperance_dropblock_p", strengths["p"]))
            change = _Drop(f"{strengths.address}/{i}", self.size, name if self.at is not None else "", seen)
            undos.append(change_output(place, change))
        undos.append(hook_after(model, seen.require))
        return together(undos)

    def _places(self, model: nn.Module) -> list[tuple[str, nn.Module]]:
        if self.at is not None:
            return named(model, self.at, "DropBlock")
        found = activations(model)
        if not found or not any(isinstance(m, nn.Conv2d) for m in model.modules()):
            raise RecipeError(
                f"DropBlock finds no nn.Conv2d with activation modules in {type(model).__name__}",
                "it acts on outputs of four axes (b, c, h, w)",
                "Use Dropout for tables and sequences, or name a place: DropBlock(at='stem.*')",
            )
        return found


@dataclass
class _Seen:
    """Whether any place gave a feature map: transformers have convolutions, and activations of sequences alone."""

    maps: bool = False

    def require(self, model: nn.Module, inputs: Any, output: Any) -> None:
        """Raise after a training pass without one."""
        if not self.maps and model.training and not torch.compiler.is_compiling():
            raise RecipeError(
                f"DropBlock saw no feature map (b, c, h, w) behind an activation of {type(model).__name__}",
                "it drops squares of feature maps",
                "Use Dropout for sequences, or name a place: DropBlock(at='stem.*')",
            )


@dataclass(frozen=True)
class _Drop:
    site: str
    size: int
    name: str
    seen: _Seen

    def __call__(self, owner: nn.Module, out: Tensor) -> Tensor:
        if out.dim() == 4:
            if not self.seen.maps:
                self.seen.maps = True
            return drop_blocks(out, owner._temperance_dropblock_p, self.size, self.site)  # type: ignore[arg-type]
        if not self.name:
            return out
        raise RecipeError(
            f"DropBlock acts on {self.name!r}, whose output has shape {tuple(out.shape)}",
            "it needs feature maps (b, c, h, w)",
            "Choose another pattern, or use Dropout",
        )


def rate_of_corners(p: Tensor, size: tuple[int, int], shape: tuple[int, int]) -> Tensor:
    """Return γ for squares of ``size`` in maps of ``shape``, at most 1."""
    free = (shape[0] - size[0] + 1) * (shape[1] - size[1] + 1)
    return torch.clamp(p * (shape[0] * shape[1] / (size[0] * size[1] * free)), max=1.0)


def drop_blocks(x: Tensor, p: Tensor, size: int, site: str) -> Tensor:
    """Return x·m·count/sum with the squares of ``site``; exact for p = 0.

    Shapes: (b, c, h, w) → the same; p ().
    """
    height, width = x.shape[-2:]
    tall, wide = min(size, height), min(size, width)
    free = (*x.shape[:2], height - tall + 1, width - wide + 1)
    corners = site_uniform(site, x, free) < rate_of_corners(p, (tall, wide), (height, width))
    sparse = x.device.type == "cpu" and not torch.compiler.is_compiling() and not is_batched()
    kept = (_kept_by_place if sparse else _kept_by_pooling)(corners, (tall, wide))
    share = kept.sum() / kept.numel()
    return x * (kept / torch.clamp(share, min=1 / kept.numel())).to(x.dtype)


def _kept_by_pooling(corners: Tensor, size: tuple[int, int]) -> Tensor:
    """Return 0 in the squares that begin at ``corners`` (b, c, h', w'), else 1: float32 (b, c, h, w)."""
    tall, wide = size
    around = functional.pad(corners.to(torch.float32), (wide - 1, wide - 1, tall - 1, tall - 1))
    return 1 - functional.max_pool2d(around, size, stride=1)


def _kept_by_place(corners: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the same by writing the zeros of each square; few squares, so far cheaper than pooling on a processor."""
    (tall, wide), (rows, columns) = size, corners.shape[-2:]
    height, width = rows + tall - 1, columns + wide - 1
    kept = torch.ones(*corners.shape[:2], height, width, device=corners.device)
    plane, row, column = corners.flatten(0, 1).nonzero(as_tuple=True)
    first = (plane * height + row) * width + column
    square = (torch.arange(tall)[:, None] * width + torch.arange(wide)).flatten()
    kept.view(-1).index_fill_(0, (first[:, None] + square).flatten(), 0.0)
    return kept
