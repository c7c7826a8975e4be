"""Dropout on the inputs of adapters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from temperance.control.strength import Strength
from temperance.core.kit.sites import change_input, named
from temperance.core.random import site_mask
from temperance.core.regularizer import Effect, Rank, Regularizer, Strengths, Undo, techniques
from temperance.core.traces import hold, together
from temperance.records.citation import Citation
from temperance.records.errors import RecipeError


@techniques.add
@dataclass(frozen=True, repr=False)
class LoRADropout(Regularizer):
    """Switch off random inputs of the low-rank adapters in training and scale up the others.

        W·x + s · B·A·(x · m / (1 − p)),  m = 1 with probability 1 − p, else 0

    The frozen weights W see the whole input; only the adapter is thinned. It acts on the innermost modules whose names
    match ``at`` (the default fits the usual name of the first factor), so it serves any kind of adapter.

    Stage: layers.  Cost: one mask per adapter.  Strengths: p in [0, 0.95], neutral 0, linear, stronger = up.
    Shapes: inputs any → same.
    Use when: fine-tuning with adapters on few data.  Avoid when: the adapters have a dropout of their own above 0.

    Args:
        p: probability that an input is off.
        at: shell pattern of module names whose inputs are dropped.

    Raises:
        SettingError: p outside its range.
        RecipeError: nothing matches ``at``.

    Example:
        >>> LoRADropout(0.1, at="*.adapter.down").to_dict()
        {'name': 'LoRADropout', 'p': 0.1, 'at': '*.adapter.down'}

    References: Hu et al. (2022), arXiv:2106.09685, section 4.1 (adapters); Lin et al. (2024), arXiv:2404.09610
    (dropout on their inputs).

    """

    p: float = 0.05
    at: str = "*lora_A*"

    strengths: ClassVar[dict[str, Strength]] = {
        "p": Strength(0.05, low=0.0, high=0.95, neutral=0.0, words="share of the adapters' inputs switched off")
    }
    family: ClassVar[str] = "units"
    rank: ClassVar[Rank] = Rank.LAYERS
    draws: ClassVar[bool] = True
    effect: ClassVar[Effect] = {"p": ("loss_noise", "up")}
    roles: ClassVar[tuple[str, ...]] = ("noise on units",)
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "hu2022", "Hu et al.", 2022, "LoRA: low-rank adaptation of large language models", "ICLR", "2106.09685"
        ),
        Citation("lin2024", "Lin et al.", 2024, "LoRA dropout as a sparsity regularizer", "arXiv", "2404.09610"),
    )

    @classmethod
    def samples(cls) -> tuple[LoRADropout, ...]:
        """Return a pattern that matches first layers of sequences, since plain models have no adapters."""
        return (cls(0.2, at="*0"),)

    def rewire(self, model: nn.Module, strengths: Strengths) -> Undo:
        """Thin out what goes into each module that matches.

        Raises:
            RecipeError: only containers match.

        """
        places = [m for _, m in named(model, self.at, "LoRADropout") if not any(True for _ in m.children())]
        if not places:
            raise RecipeError(
                f"LoRADropout(at={self.at!r}) matches containers only",
                "it acts on the innermost modules, e.g. the linear layer of an adapter",
                f"Try at={self.at + '.*'!r}",
            )
        undos = []
        buffer = f"_temperance_{strengths.address}_p"
        for i, place in enumerate(places):
            undos.append(hold(place, buffer, strengths["p"]))
            undos.append(change_input(place, _Drop(f"{strengths.address}/{i}", buffer)))
        return together(undos)


@dataclass(frozen=True)
class _Drop:
    site: str
    buffer: str

    def __call__(self, owner: nn.Module, x: Tensor) -> Tensor:
        return x * site_mask(self.site, x, 1 - getattr(owner, self.buffer))
