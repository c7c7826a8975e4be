"""What is compared: plain fine-tuning, its peers, and the anchor held at a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import nn

from temperance import DFT, EMA, L2SP, Constraint, KLAnchor, Recipe

LR = 1e-3
TARGET = 0.5
PLAIN = "plain"


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


def hold(target: float, *others: Any, lr: float = LR, **settings: Any) -> Method:
    """Return the method that holds the divergence at a number."""
    controller = Constraint.hold("kl", target)
    return Method(lambda: Recipe(KLAnchor(**settings), *others, controller=controller), lr=lr, held=target)


METHODS: dict[str, Method] = {
    PLAIN: Method(),
    "l2_sp": Method(lambda: Recipe(L2SP(1.0))),
    "lora": Method(adapt=lora, lr=1e-2),
    "ema": Method(lambda: Recipe(EMA(0.95))),
    "dft": Method(lambda: Recipe(DFT())),
    "asft": Method(lambda: Recipe(DFT(), KLAnchor(0.05))),
    "held": hold(TARGET),
}
# for `try` alone: what settings were chosen among
TRIED: dict[str, Method] = {
    **{f"plain_{lr:g}": Method(lr=lr) for lr in (3e-4, 2e-3)},
    **{f"l2_sp_{rate:g}": Method(partial(lambda r: Recipe(L2SP(r)), rate)) for rate in (3.0, 10.0)},
    **{f"lora_{lr:g}": Method(adapt=lora, lr=lr) for lr in (3e-3,)},
    **{f"held_{target:g}": hold(target) for target in (0.25, 1.0, 2.0)},
    **{f"anchor_{rate:g}": Method(partial(lambda r: Recipe(KLAnchor(r)), rate)) for rate in (0.1, 0.3)},
}
# for `step` alone
PRICED: dict[str, Method] = {"held_half_of_the_rows": hold(TARGET, share=0.5)}
