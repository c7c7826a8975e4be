"""Manifold mixup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass, first_leaf
from temperance.core.kit.mixing import blend, blended, paired
from temperance.core.kit.sites import activations, change_output, named
from temperance.core.leaves import Leaves
from temperance.core.random import beta, fold, permutation, running, uniform
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
from temperance.core.traces import together
from temperance.records.citation import Citation
from temperance.records.errors import RecipeError


@techniques.add
@dataclass(frozen=True, repr=False)
class ManifoldMixUp(Regularizer):
    """Blend two examples at a random depth of the net, and their answers with them.

        λ ~ Beta(α, α);  layer l uniform among the input and the places;  h_l' = λ·h_l + (1 − λ)·h_l(partner)
        loss = λ·l(y) + (1 − λ)·l(y_partner)

    The places are the outputs of all activations, or of the modules that match ``at``; the input is the first (of
    tokens: their vectors, as in ``MixUp``; deeper blends keep the mask of the row itself). A place
    that runs several times in a pass blends at its first run; one that does not run is an error.

    Stage: layers and objective (mix).  Cost: one blend of one layer, a second loss.  Strengths: alpha in [1e-3, 32],
    neutral 0 (λ = 1), log, stronger = up.
    Shapes: hidden outputs (b, …) → same; targets → ``Mixed`` with share ().
    Use when: mixup of raw inputs makes no sense but of features does; smoother decision borders are wanted.
    Avoid when: the net is shallow or under-fits.

    Args:
        alpha: α of the Beta distribution.
        at: shell pattern of the module names after which blends may happen.
        inputs: whether the input is one of the places.

    Raises:
        SettingError: α outside its range.
        RecipeError: no place found, a place did not run or gives no tensor with one row per example, or the batch is
            mixed already.

    Example:
        >>> ManifoldMixUp(2.0, at="blocks.*").to_dict()
        {'name': 'ManifoldMixUp', 'alpha': 2.0, 'at': 'blocks.*', 'inputs': True}

    References: Verma et al. (2019), arXiv:1806.05236, section 2.

    """

    alpha: float = 2.0
    at: str | None = None
    inputs: bool = True

    strengths: ClassVar[dict[str, Strength]] = {
        "alpha": Strength(
            2.0, low=1e-3, high=32.0, neutral=0.0, scale="log", words="how evenly the features of two examples blend"
        )
    }
    family: ClassVar[str] = "mixing"
    rank: ClassVar[Rank] = Rank.MIX
    effect: ClassVar[Effect] = {"alpha": ("confidence", "down")}
    unique: ClassVar[bool] = True
    moves_inputs: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("mixes", "mixes hidden")
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("mixes", "refuse", "a batch can be mixed once", "Keep one of them"),
        Rule("softens targets", "warn", "both take certainty from the targets", "Use less of each"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "verma2019", "Verma et al.", 2019, "Manifold mixup: better representations by interpolating hidden states",
            "ICML", "1806.05236", "section 2",
        ),
    )  # fmt: skip

    def rewire(self, model: nn.Module, strengths: Strengths) -> Undo:
        """Put a hook on every place; it blends when its number is drawn."""
        return together(
            [
                change_output(m, _Blend(strengths.address, i + int(self.inputs), name))
                for i, (name, m) in enumerate(self._places(model))
            ]
        )

    def plan(self, context: Context) -> int:
        """Return the count of places, with the input."""
        return len(self._places(context.model)) + int(self.inputs)

    def _places(self, model: nn.Module) -> list[tuple[str, nn.Module]]:
        if self.at is not None:
            return named(model, self.at, "ManifoldMixUp")
        found = activations(model)
        if not found:
            raise RecipeError(
                f"ManifoldMixUp finds no activation module in {type(model).__name__}",
                "it blends what hidden layers give",
                "Name places: ManifoldMixUp(at='layers.*'); MixUp blends the inputs alone",
            )
        return found

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Draw layer, partner and share; blend the input here, hidden layers in their hooks."""
        address = strengths.address

        def mixed(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("alpha"):
                return inner(params, buffers, batch, key)
            own, leaf = fold(key, address), first_leaf(batch.inputs)
            share = beta(fold(own, "share"), strengths.number("alpha"), leaf.device, strength=f"{address}.alpha")
            partner = permutation(fold(own, "partner"), leaf.shape[0], leaf.device)
            drawn = torch.floor(uniform(fold(own, "layer"), (), leaf.device) * memory.plan)
            layer = int(drawn) if isinstance(key, int) else drawn
            mix = _Mix(layer, partner, share)
            inputs = batch.inputs
            if self.inputs and not (isinstance(layer, int) and layer):
                inputs = blended(batch, partner, mix.share_at(0), own, "ManifoldMixUp")
            with _mixing(address, mix):
                passed = inner(params, buffers, paired(batch, inputs, partner, share), key)
            _require_run(mix, memory.plan, self.inputs)
            return passed

        return mixed


@dataclass(frozen=True)
class _Mix:
    """What is blended in the running pass: at which place, with whom, by how much."""

    layer: int | Tensor
    partner: Tensor
    share: Tensor
    done: set[int] = field(default_factory=set)
    begun: dict[str, int] = field(default_factory=dict)  # calls of the places before this mixing

    def share_at(self, place: int) -> Tensor:
        """Return the share there: 1 (nothing blended) where another place was drawn."""
        if isinstance(self.layer, int):
            return self.share
        return torch.where(self.layer == place, self.share, torch.ones_like(self.share))


@contextmanager
def _mixing(address: str, mix: _Mix) -> Iterator[None]:
    """Hand ``mix`` to the hooks of this pass, and of its parts that run again."""
    pass_now = running()
    if pass_now is None:
        raise RuntimeError("a mixing pass was run outside a step")
    mix.begun.update({site: n for site, n in pass_now.calls.items() if site.startswith(f"{address}/")})
    pass_now.handed[address] = mix
    try:
        yield
    finally:
        del pass_now.handed[address]


def _require_run(mix: _Mix, places: int, inputs: bool) -> None:
    drawn = {mix.layer} if isinstance(mix.layer, int) else set(range(places))
    missing = sorted(drawn - mix.done - ({0} if inputs else set()))
    if missing:
        raise RecipeError(
            f"ManifoldMixUp drew place {missing[0]}, and that module did not run in training mode",
            "each place must be part of the forward pass",
            "Name the places that are: ManifoldMixUp(at=…)",
        )


@dataclass(frozen=True)
class _Blend:
    address: str
    place: int
    name: str

    def __call__(self, owner: nn.Module, out: Any) -> Any:
        now = running()
        mix: _Mix | None = None if now is None else now.handed.get(self.address)
        if now is None or mix is None or (isinstance(mix.layer, int) and mix.layer != self.place):
            return out
        site = f"{self.address}/{self.place}"
        if now.count(site) != mix.begun.get(site, 0):
            return out  # a module that runs several times in a pass blends in its first run
        mix.done.add(self.place)
        count = mix.partner.shape[0]
        if not isinstance(out, Tensor) or out.dim() < 1 or out.shape[0] != count:
            shape = tuple(out.shape) if isinstance(out, Tensor) else type(out).__name__
            raise RecipeError(
                f"ManifoldMixUp acts on {self.name!r}, whose output is {shape}",
                f"it needs a tensor with one row for each of the {count} examples",
                "Choose other places with at=…",
            )
        return blend(out, mix.partner, mix.share_at(self.place), None) if out.is_floating_point() else out
