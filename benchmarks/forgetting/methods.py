"""What is compared: plain fine-tuning, its peers, and the anchor held at a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from torch import nn

from temperance import DFT, EMA, L2SP, Clamp, Constraint, KLAnchor, Only, Recipe

LR, SLOW, MIDDLE, BATCH = 1e-3, 4e-4, 6e-4, 32
TARGET, SHARE, WRITTEN, MOST = 0.05, 0.045, 6, 4.0
LATE = 0.4  # of the steps: the last ones, in which the rate of what is held falls
QUICK = {"ki": 0.2, "average": 0.6}  # of a controller whose readings scatter less, for more rows
FIRM = {"ki": 0.4, "kp": 6.0, "average": 0.8}  # quicker, and damped
PLAIN = "plain"


@dataclass(frozen=True)
class Method:
    """One way to fine-tune.

    Attributes:
        recipe: what is attached.
        lr: largest learning rate.
        adapt: what is done to the model before, e.g. a LoRA adapter around it.
        held: the number that ``kl`` is held at; None: nothing is held.
        written: rows of the model's own text, without labels, at the end of each batch.
        fresh: rows of the new task in each batch.
        keeps: the number that ``forgetting`` is held at, as a share, on a few old rows; None: nothing is.
        late: share of the steps, the last ones, in which the rate falls; 1: from the first on.
        least: share of the largest rate that it falls to.

    """

    recipe: Callable[[], Recipe] = Recipe
    lr: float = LR
    adapt: Callable[[nn.Module], nn.Module] = field(default=lambda model: model)
    held: float | None = None
    written: int = 0
    fresh: int = BATCH
    keeps: float | None = None
    late: float = 1.0
    least: float = 0.0


def lora(model: nn.Module) -> nn.Module:
    """Return the model in a LoRA adapter on all its linear layers."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=8, lora_alpha=16, target_modules=["c_attn", "c_proj", "c_fc"], fan_in_fan_out=True, task_type="CAUSAL_LM"
    )
    return get_peft_model(model, config)


def matrices(model: nn.Module) -> nn.Module:
    """Return the model of which only the blocks' matrices are trained.

    Embeddings, norms and biases stand: few weights that every text goes through, so a step of Adam moves all answers.
    """
    for name, p in model.named_parameters():
        p.requires_grad_(p.dim() > 1 and name.startswith("transformer.h."))
    return model


def hold(
    target: float, *, lr: float = LR, written: int = 0, most: float = MOST, late: float = 1.0, begin: float = 0.1,
    gains: dict[str, float] | None = None, fresh: int = BATCH, averaged: float = 0.0, least: float = 0.0,
    **settings: Any,
) -> Method:  # fmt: skip
    """Return the method that holds the divergence at a number: on the task's answers, or on the model's own text.

    ``most``: largest strength. Far above it the few rows' noise moves the answers more than the pull holds them.
    ``begin``: strength at first.  ``gains``: of the controller, instead of those of ``Constraint.hold``.
    ``averaged``: decay of the moving average of the weights that is served; 0: none.
    """
    if written:
        settings = {"places": "others", "share": written / (written + fresh), **settings}
    controller = Clamp(Constraint.hold("kl", target, **(gains or {})), low=1e-4, high=most)
    parts = [KLAnchor(begin, **settings), *([EMA(averaged)] if averaged else [])]
    return Method(
        lambda: Recipe(*parts, controller=controller), lr, held=target, written=written, fresh=fresh, late=late,
        least=least,
    )  # fmt: skip


def keep(share: float, *, lr: float, written: int, late: float = 1.0, begin: float = 0.1) -> Method:
    """Return the method that holds the loss on a few old rows: they are looked at, never learned.

    It moves at each look, which is seldom: so each move is larger than those of ``hold``.
    """
    rule = Constraint.hold("forgetting", share, at="kl_anchor*", ki=0.5, average=0.0)
    anchor = KLAnchor(begin, places="others", share=written / (written + BATCH))
    return Method(
        lambda: Recipe(anchor, controller=Clamp(rule, low=1e-4, high=MOST)), lr, written=written, keeps=share, late=late
    )


def pull(target: float, *, lr: float = LR, written: int = 0, both: bool = False) -> Method:
    """Return the method that holds the divergence by a pull on the weights; the anchor measures, or pulls too."""
    anchor = KLAnchor(0.3 if both else 1e-4, places="others", share=written / (written + BATCH))
    rule = Constraint.hold("kl", target, at=())
    controller = rule if both else Only(rule, "l2_sp.rate")
    return Method(lambda: Recipe(anchor, L2SP(), controller=controller), lr, held=target, written=written)


# The rate of plain fine-tuning is the one that gained most on the tuning tasks. That of ``held`` and its number are not
# chosen yet: they rest on one run of one tuning task (records/forgetting/tuning.md). The peers are at settings as
# published or as good as we knew, not tuned.
METHODS: dict[str, Method] = {
    PLAIN: Method(),
    "held": replace(hold(TARGET, lr=MIDDLE, written=WRITTEN, late=LATE, begin=1.0), adapt=matrices),
    "held_loss": replace(keep(SHARE, lr=MIDDLE, written=WRITTEN, late=LATE, begin=1.0), adapt=matrices),
    "l2_sp": Method(lambda: Recipe(L2SP(3.0))),
    "lora": Method(adapt=lora, lr=3e-3),
}
FIRST = (PLAIN, "held")  # of all tasks and seeds, before the others
# for `try` alone: what settings were chosen among
TRIED: dict[str, Method] = {
    "plain_slow": Method(lr=SLOW),
    "held_second_look": hold(0.06, lr=SLOW, written=WRITTEN),
    **{
        f"held_all_late_{t:g}_lr_{lr:g}": hold(t, lr=lr, written=WRITTEN, late=LATE, begin=1.0)
        for t in (0.045, 0.05, 0.06)
        for lr in (5e-4, 6e-4)
    },
    **{
        f"held_late_{t:g}_lr_{lr:g}": replace(hold(t, lr=lr, written=WRITTEN, late=LATE, begin=1.0), adapt=matrices)
        for t in (0.04, 0.045, 0.05, 0.055)
        for lr in (5e-4, 6e-4, 8e-4)
    },
    **{
        f"held_fall_{late:g}_{t:g}_lr_{lr:g}": replace(
            hold(t, lr=lr, written=WRITTEN, late=late, begin=1.0), adapt=matrices
        )
        for late in (0.6, 0.8)
        for t in (0.05, 0.055)
        for lr in (6e-4, 8e-4, 1e-3)
    },
    **{
        f"held_{fresh}_{own}_fall_{late:g}_{t:g}_lr_{lr:g}": replace(
            hold(t, lr=lr, written=own, fresh=fresh, late=late, begin=1.0), adapt=matrices
        )
        for fresh, own in ((24, 12), (16, 16))
        for late in (0.6, 0.8, 1.0)
        for t in (0.04, 0.045, 0.05)
        for lr in (6e-4, 8e-4, 1e-3)
    },
    **{
        f"quick_{fresh}_{own}_fall_{late:g}_{t:g}_lr_{lr:g}": replace(
            hold(t, lr=lr, written=own, fresh=fresh, late=late, begin=4.0, most=16.0, gains=QUICK), adapt=matrices
        )
        for fresh, own in ((16, 18), (12, 22))
        for late in (0.6, 0.8, 1.0)
        for t in (0.04, 0.045, 0.05)
        for lr in (6e-4, 8e-4, 1e-3, 1.2e-3)
    },
    **{
        f"quick_from_1_{fresh}_{own}_fall_{late:g}_{t:g}_lr_{lr:g}": replace(
            hold(t, lr=lr, written=own, fresh=fresh, late=late, begin=1.0, gains=QUICK), adapt=matrices
        )
        for fresh, own in ((16, 18), (12, 22))
        for late in (0.6, 0.8, 1.0)
        for t in (0.045, 0.05)
        for lr in (8e-4, 1e-3)
    },
    # the average is served, so the rate need not fall, and the controller keeps its hold to the end
    **{
        f"level_{t:g}": replace(
            hold(t, lr=8e-4, written=22, fresh=12, begin=1.0, most=6.0, averaged=0.98, least=1.0, gains=FIRM),
            adapt=matrices,
        )
        for t in (0.055, 0.06, 0.065)
    },
    "plain_matrices": Method(adapt=matrices),
    "ema": Method(lambda: Recipe(EMA(0.95))),
    "dft": Method(lambda: Recipe(DFT())),
    "asft": Method(lambda: Recipe(DFT(), KLAnchor(0.05))),
    "held_on_answers": hold(0.3, lr=SLOW),
    **{f"plain_{lr:g}": Method(lr=lr) for lr in (3e-4, 2e-3)},
    **{f"l2_sp_{rate:g}": Method(partial(lambda r: Recipe(L2SP(r)), rate)) for rate in (3.0, 10.0)},
    **{f"lora_{lr:g}": Method(adapt=lora, lr=lr) for lr in (3e-3,)},
    **{f"held_{target:g}": hold(target, written=WRITTEN) for target in (0.01, 0.015, 0.02, 0.05)},
    **{f"held_on_answers_{target:g}": hold(target) for target in (0.1, 0.2, 0.5)},
    **{
        f"held_{t:g}_lr_{lr:g}": hold(t, lr=lr, written=WRITTEN) for t in (0.05, 0.08, 0.1) for lr in (3e-4, 5e-4, 7e-4)
    },
    **{f"pull_{t:g}_lr_{lr:g}": pull(t, lr=lr, written=WRITTEN) for t in (0.06, 0.1) for lr in (5e-4, 1e-3)},
    **{f"both_{t:g}_lr_{lr:g}": pull(t, lr=lr, written=WRITTEN, both=True) for t in (0.06, 0.1) for lr in (5e-4, 1e-3)},
    "wide_0.06_lr_0.0005": hold(0.06, lr=5e-4, written=16),
    **{
        f"lora_held_{t:g}_lr_{lr:g}": replace(hold(t, lr=lr, written=WRITTEN), adapt=lora)
        for t in (0.06, 0.1)
        for lr in (3e-3, 1e-2)
    },
    "held_prompts": hold(TARGET, places="others"),
}
# for `step` alone
PRICED: dict[str, Method] = {
    "held_on_answers_of_half_the_rows": hold(0.3, share=0.5),
    **{name: TRIED[name] for name in TRIED if name.endswith("12_22_fall_0.8_0.045_lr_0.001")},
    "level_0.06": TRIED["level_0.06"],
}
