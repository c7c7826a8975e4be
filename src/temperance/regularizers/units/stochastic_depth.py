"""Stochastic depth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from types import MethodType
from typing import ClassVar

from torch import Tensor, nn

from temperance.control.strength import Strength
from temperance.core.kit.native import drop_paths
from temperance.core.kit.sites import change_output, named
from temperance.core.random import site_mask
from temperance.core.regularizer import Effect, Rank, Regularizer, Strengths, Undo, techniques
from temperance.core.traces import hold, keep_attribute, replace_forward, together
from temperance.records.citation import Citation
from temperance.records.errors import RecipeError

_WHOLE = (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)


@techniques.add
@dataclass(frozen=True, repr=False)
class StochasticDepth(Regularizer):
    """Skip the residual branch of random blocks, for each example on its own.

        branch' = branch · m / (1 − p_l),  m = 1 with probability 1 − p_l;  p_l = p·l/L for block l of L

    Without ``at`` it acts on modules that mark themselves with ``residual_branch = True`` (our own nets do); where
    there are none, in the place of DropPath layers (timm, transformers, torchvision), also those that stand idle.

    Stage: layers.  Cost: free.  Strengths: p in [0, 0.95], neutral 0, linear, stronger = up.
    Shapes: branch outputs (b, …) → same, one mask value per example.
    Use when: deep residual nets and transformers.  Avoid when: fewer than about four blocks.

    Args:
        p: probability of skipping the last block.
        at: shell pattern of the residual *branches*, in order of depth, e.g. ``"blocks.*.branch"``: what the input
            is added to afterwards, never the whole block, whose output would be zero where it is skipped.

    Raises:
        SettingError: p outside its range.
        RecipeError: no residual branch found, or one of torch's transformer layers as a whole.

    References: Huang et al. (2016), arXiv:1603.09382, section 3 (linear decay).

    """

    p: float = 0.1
    at: str | None = None

    strengths: ClassVar[dict[str, Strength]] = {
        "p": Strength(0.1, low=0.0, high=0.95, neutral=0.0, words="chance that the last block is skipped")
    }
    family: ClassVar[str] = "units"
    rank: ClassVar[Rank] = Rank.LAYERS
    draws: ClassVar[bool] = True
    effect: ClassVar[Effect] = {"p": ("loss_noise", "up")}
    unique: ClassVar[bool] = True
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation("huang2016", "Huang et al.", 2016, "Deep networks with stochastic depth", "ECCV", "1603.09382"),
    )

    def rewire(self, model: nn.Module, strengths: Strengths) -> Undo:
        """Put a hook on every residual branch.

        Raises:
            RecipeError: there is no residual branch, or a whole block is named.

        """
        if self.at is not None:
            found = named(model, self.at, "StochasticDepth")
            _require_branches(found)
            return _follow([m for _, m in found], strengths)
        branches = [m for m in model.modules() if getattr(m, "residual_branch", False)]
        if branches:
            return _follow(branches, strengths)
        paths = drop_paths(model)
        if paths:
            return together([undo for i, one in enumerate(paths) for undo in _take(one, i, len(paths), strengths)])
        raise RecipeError(
            f"StochasticDepth finds no residual branch in {type(model).__name__}",
            "branches are modules with residual_branch = True, DropPath layers, or named by a pattern",
            "Name them: StochasticDepth(at='blocks.*.branch')",
        )


def _require_branches(found: Sequence[tuple[str, nn.Module]]) -> None:
    """Refuse blocks of torch whose output holds their input: without it, all that was known of an example is gone."""
    for name, block in found:
        if isinstance(block, _WHOLE):
            ends = "[123]" if isinstance(block, nn.TransformerDecoderLayer) else "[12]"
            raise RecipeError(
                f"StochasticDepth meets {name!r}, a {type(block).__name__}, whose output holds its own input",
                "it skips branches, to which the input is added afterwards; a whole block skipped leaves zeros",
                f"Name the ends of its branches: StochasticDepth(at='{_above(name)}*.dropout{ends}')",
            )


def _above(name: str) -> str:
    return f"{name.rpartition('.')[0]}." if "." in name else ""


def _follow(branches: Sequence[nn.Module], strengths: Strengths) -> Undo:
    undos = []
    for i, branch in enumerate(branches):
        depth, site = (i + 1) / len(branches), f"{strengths.address}/{i}"
        undos.append(hold(branch, "_temperance_stochastic_depth_p", strengths["p"]))
        undos.append(change_output(branch, _Skip(site, depth)))
    return together(undos)


def _take(path: nn.Module, i: int, count: int, strengths: Strengths) -> list[Undo]:
    """Let a DropPath layer skip by the step's key, at the rate of its depth, which it shows as ``drop_prob``."""
    skipping = _Skip(f"{strengths.address}/{i}", (i + 1) / count, whole=getattr(path, "mode", "row") == "batch")
    undos = [
        hold(path, "_temperance_stochastic_depth_p", strengths["p"]),
        replace_forward(path, MethodType(_pass_by(skipping), path)),
    ]
    for name in ("drop_prob", "p"):
        if isinstance(path.__dict__.get(name), (int, float)):
            undos.append(keep_attribute(path, name))
            undos.append(strengths.follow("p", partial(_show, path, name, skipping.depth)))
    return undos


def _show(path: nn.Module, name: str, depth: float, p: float) -> None:
    path.__dict__[name] = p * depth


def _pass_by(skipping: _Skip) -> Callable[[nn.Module, Tensor], Tensor]:
    def forward(owner: nn.Module, branch: Tensor) -> Tensor:
        return skipping(owner, branch) if owner.training else branch

    return forward


@dataclass(frozen=True)
class _Skip:
    site: str
    depth: float
    whole: bool = False

    def __call__(self, owner: nn.Module, branch: Tensor) -> Tensor:
        return skip(branch, owner._temperance_stochastic_depth_p, self.site, self.depth, whole=self.whole)  # type: ignore[arg-type]


def skip(branch: Tensor, p: Tensor, site: str, depth: float = 1.0, *, whole: bool = False) -> Tensor:
    """Return branch·m/(1 − p·depth) with one mask value per example, or per (whole) batch; exact for p = 0.

    Shapes: (b, …) → the same; p ().
    """
    shape = (1 if whole else branch.shape[0], *[1] * (branch.dim() - 1))
    return branch * site_mask(site, branch, 1 - p * depth, shape)
