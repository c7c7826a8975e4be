"""Layer-wise learning-rate decay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from temperance.control.strength import Strength
from temperance.core.kit.depth import layers
from temperance.core.leaves import Leaves
from temperance.core.regularizer import Context, Effect, Memory, Rank, Rate, Regularizer, Strengths, Update, techniques
from temperance.records.citation import Citation
from temperance.records.errors import RecipeError


@techniques.add
@dataclass(frozen=True, repr=False)
class LayerwiseRateDecay(Regularizer):
    """Give deeper layers a smaller learning rate (layer-wise learning-rate decay, LLRD).

        η_d = η·γ^d for the layer d steps below the head (the head: d = 0)

    Steps, and decays that go with the learning rate, are those of an optimizer with a parameter group per layer, with
    any ``torch.optim`` optimizer and scheduler. The user's groups stay as they are. The order of the layers is read
    from the model: embeddings, blocks (``encoder.layer.N``, ``h.N``, ``layers.N``, ``blocks.N``), then the head.

    Stage: update (the rates around decay and optimizer).  Cost: one more group of the optimizer's step per layer.
    Strengths: decay γ in [0.3, 1], neutral 1, linear, stronger = down.
    Shapes: any.
    Use when: fine-tuning a pretrained net with many layers.
    Avoid when: training from scratch, or the new task needs other low-level features.

    Args:
        decay: factor γ from one layer to the next deeper one.
        order: shell patterns of parameter names, one per layer, the deepest first, where the order cannot be seen.

    Raises:
        SettingError: γ outside its range.
        RecipeError: the order of the layers cannot be seen, or ``order`` does not fit.

    Example:
        >>> LayerwiseRateDecay(0.8)
        LayerwiseRateDecay(decay=0.8)

    References: Howard and Ruder (2018), arXiv:1801.06146, section 3.2; Clark et al. (2020), arXiv:2003.10555,
    appendix B, whose defaults are 0.8 (base) and 0.9 (large).

    """

    decay: float = 0.9
    order: tuple[str, ...] | None = None

    strengths: ClassVar[dict[str, Strength]] = {
        "decay": Strength(
            0.9, low=0.3, high=1.0, neutral=1.0, stronger="down", words="learning rate of a layer beside the next one"
        )
    }
    family: ClassVar[str] = "transfer"
    rank: ClassVar[Rank] = Rank.RATE
    effect: ClassVar[Effect] = {"decay": ("step_length", "down")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("rates by depth",)
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "howard2018", "Howard, Ruder", 2018, "Universal language model fine-tuning for text classification",
            "ACL", "1801.06146", "section 3.2",
        ),
        Citation(
            "clark2020", "Clark et al.", 2020,
            "ELECTRA: pre-training text encoders as discriminators rather than generators", "ICLR", "2003.10555",
        ),
    )  # fmt: skip

    def check(self, context: Context, optimizer: Any) -> None:
        """Refuse a model of one layer, where there is nothing to grade.

        Raises:
            RecipeError: there is one layer, or the order cannot be seen.

        """
        found = layers(context.model, self.order, type(self).__name__)
        if len(found) < 2:
            raise RecipeError(
                f"LayerwiseRateDecay finds {len(found)} layer in {type(context.model).__name__}",
                "it needs two or more",
                "Leave it out",
            )

    def plan(self, context: Context) -> dict[str, int]:
        """Return the depth below the head of each parameter."""
        found = layers(context.model, self.order, type(self).__name__)
        return {name: depth for depth, layer in enumerate(reversed(found)) for name in layer}

    def update(self, inner: Update, strengths: Strengths, memory: Memory) -> Update:
        """Step at the rates of the layers."""
        depths: dict[str, int] = memory.plan

        def step(params: Leaves, grads: Leaves, rate: Rate) -> Leaves:
            if strengths.is_off("decay", 1.0):
                return inner(params, grads, rate)
            decay = strengths.number("decay")
            each = rate if isinstance(rate, list) else [rate] * len(params)
            return inner(
                params, grads,
                [eta * decay ** depths[name] for eta, name in zip(each, params.names, strict=True)],
            )  # fmt: skip

        return step
