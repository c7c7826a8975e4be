"""What is compared: plain fine-tuning, its peers, and the anchor held at a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import nn

from temperance import Constraint, KLAnchor, Recipe

LR = 1e-3


@dataclass(frozen=True)
class Method:
    """One way to fine-tune.

    Attributes:
        recipe: what is attached.
        lr: largest learning rate.
        adapt: what is done to the model before, e.g. a LoRA adapter around it.
        held: the number that ``kl`` is held at; None: nothing is held.

    """

    recipe: Callable[[], Recipe] = Recipe
    lr: float = LR
    adapt: Callable[[nn.Module], nn.Module] = field(default=lambda model: model)
    held: float | None = None


def lora(model: nn.Module) -> nn.Module:
    """Return the model in a LoRA adapter on all its linear layers."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=8, lora_alpha=16, target_modules=["c_attn", "c_proj", "c_fc"], fan_in_fan_out=True, task_type="CAUSAL_LM"
    )
    return get_peft_model(model, config)


def held(target: float, **settings: object) -> Callable[[], Recipe]:
    """Return the maker of a recipe that holds the divergence at a number."""
    return lambda: Recipe(KLAnchor(**settings), controller=Constraint.hold("kl", target))  # type: ignore[arg-type]
