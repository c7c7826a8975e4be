"""AugMix."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass, mean
from temperance.core.kit.classes import UNTOLD, class_axis
from temperance.core.kit.images import Reach, distort, on_images, per_image
from temperance.core.kit.scenes import refuse_scenes
from temperance.core.leaves import Leaves
from temperance.core.random import exponential, fold, uniform
from temperance.core.regularizer import Context, Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.core.statistics import tracking, unchanged
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import SettingError

SAFE = ("shear_x", "shear_y", "posterize", "solarize", "autocontrast", "equalize")
ALL = ("translate_x", "translate_y", "rotate", *SAFE)
REACH = Reach(shear=0.3, translate=1 / 3, degrees=30.0, bits=4.0, factor=0.0)
WIDTH, DEPTH = 3, 3


@techniques.add
@dataclass(frozen=True, repr=False)
class AugMix(Regularizer):
    """Ask for the same answer to an image and to two blends of its distorted copies.

        x̃ = (1 − m)·x + m·Σ wᵢ·chainᵢ(x),  w ~ Dirichlet(1, 1, 1), m ~ U(0, 1), chains of 1 to 3 operations
        loss = l(x, y) + weight · JS(p(x), p(x̃₁), p(x̃₂)),  JS = mean of KL(pᵢ ‖ mean of the three)

    The operations are ours, on whole batches of tensors. Those that resemble what ``evaluate`` tests (rotation, shift)
    are left out, or the test of robustness would be a test on training data; ``every=True`` takes all nine of the
    paper.

    Stage: objective (augment).  Cost: three forward passes, one backward pass through them, 18 distortions, each of a
    part of the images.  Strengths: weight in [0, 24], neutral 0, linear, stronger = up.
    Shapes: images (b, c, h, w); outputs (b, …, c) logits, classes on the last axis (axis 1 for four or more axes).
    Use when: images in service will be worse than those in training.  Avoid when: tables; time is short.

    Args:
        weight: weight of the disagreement; 12 in the paper.
        severity: size of the distortions, 1 to 10.
        every: also rotate and translate.

    Raises:
        SettingError: a setting outside its range.
        RecipeError: no images among the inputs, or outputs that are no logits of two or more classes.

    Example:
        >>> AugMix(6.0).to_dict()
        {'name': 'AugMix', 'weight': 6.0, 'severity': 3.0, 'every': False}

    References: Hendrycks et al. (2020), arXiv:1912.02781, section 3, algorithm 1.

    """

    weight: float = 12.0
    severity: float = 3.0
    every: bool = False

    strengths: ClassVar[dict[str, Strength]] = {
        "weight": Strength(12.0, low=0.0, high=24.0, neutral=0.0, words="how much three answers must agree")
    }
    family: ClassVar[str] = "mixing"
    rank: ClassVar[Rank] = Rank.AUGMENT
    cost: ClassVar[Cost] = Cost(forwards=3.0)
    effect: ClassVar[Effect] = {"weight": ("departure", "up")}
    unique: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("runs twice",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("runs twice", "warn", "the forward passes multiply", "Keep one of them where time matters"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "hendrycks2020", "Hendrycks et al.", 2020,
            "AugMix: a simple data processing method to improve robustness and uncertainty", "ICLR", "1912.02781",
            "section 3",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.severity <= 10:
            raise SettingError(f"AugMix got severity={self.severity!r}", "severity lies between 1 and 10", "3 is usual")

    def plan(self, context: Context) -> tuple[nn.Module, ...]:
        """Return the layers whose running statistics the later passes must not move."""
        return tracking(context.model)

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Run the clean batch and two augmented ones."""
        address, ops = strengths.address, ALL if self.every else SAFE

        def thrice(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("weight"):
                return inner(params, buffers, batch, key)
            refuse_scenes(batch, "AugMix")
            both: list[tuple[Tensor, ...]] = []  # the two views of each image leaf, made as one larger batch

            def view(x: Tensor, i: int) -> Tensor:
                if i == len(both):
                    both.append(blend(torch.cat([x, x]), ops, self.severity, fold(key, address, i)).chunk(2))
                return both[i][0]

            views = [on_images(batch.inputs, view, "AugMix")]
            views.append(on_images(batch.inputs, lambda x, i: both[i][1], "AugMix"))
            clean = inner(params, buffers, batch, key)
            with unchanged(memory.plan):
                others = [inner(params, buffers, batch._replace(inputs=view), key).outputs for view in views]
            seen: Batch = clean.batch or batch
            apart = mean(jensen_shannon(clean.outputs, *others, batch=seen), seen)
            loss = clean.loss + strengths["weight"].to(apart.dtype) * apart
            return clean._replace(loss=loss, notes={**clean.notes, f"{address}.disagreement": apart.detach()})

        return thrice


def blend(x: Tensor, ops: tuple[str, ...], severity: float, key: Any) -> Tensor:
    """Return x̃ for a batch of images; the noise is that of ``key``. All chains run as one larger batch.

    Shapes: (b, c, h, w) → the same.
    """
    count, host = x.shape[0], torch.device("cpu")
    share = exponential(fold(key, "chains"), (WIDTH, count), x.device).to(x)
    share = (share / share.sum(0)).reshape(WIDTH, count, 1, 1, 1)
    drawn = uniform(fold(key, "operations"), (3, DEPTH, WIDTH * count), host)
    depth = torch.floor(uniform(fold(key, "depth"), (WIDTH * count,), host) * DEPTH)
    amount, sign = (0.1 + drawn[1] * (severity - 0.1)) / 10, torch.where(drawn[2] < 0.5, -1.0, 1.0)
    chains = x.repeat(WIDTH, 1, 1, 1)
    for step in range(DEPTH):
        which = (1 + (drawn[0, step] * len(ops)).to(torch.int64)) * (step <= depth)  # 0 where the chain has ended
        chains = distort(chains, ("identity", *ops), which, amount[step], sign[step], REACH)
    mixed = (share * chains.reshape(WIDTH, *x.shape)).sum(0)
    return torch.lerp(x, mixed, per_image(uniform(fold(key, "mix"), (count,), x.device), x))


def jensen_shannon(*outputs: Any, batch: Batch = UNTOLD) -> Tensor:
    """Return the mean of KL(pᵢ ‖ mean of p) per example, (b, …) without the class axis.

    Raises:
        RecipeError: the outputs are not logits of two or more classes.

    """
    axis = class_axis(outputs[0], "AugMix", batch=batch)
    logs = torch.stack([torch.log_softmax(out, axis) for out in outputs])
    middle = torch.logsumexp(logs, 0) - math.log(len(outputs))
    return (logs.exp() * (logs - middle)).sum(axis if axis < 0 else axis + 1).mean(0)
