"""R3F: steady answers under random noise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor, nn

from temperance.control.strength import Strength
from temperance.core.batch import ANSWERS_ONLY, Batch, Pass, mean, plus
from temperance.core.kit.attacks import along, noise_so_far, same_noise
from temperance.core.kit.classes import class_logits, log_softmax
from temperance.core.kit.inputs import floating, movable
from temperance.core.leaves import Leaves
from temperance.core.nest import with_floating
from temperance.core.random import fold, is_batched, normal, uniform
from temperance.core.regularizer import Context, Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.core.statistics import tracking, unchanged
from temperance.records.citation import Citation
from temperance.records.cost import Cost
from temperance.records.errors import SettingError


@techniques.add
@dataclass(frozen=True, repr=False)
class R3F(Regularizer):
    """Ask for the same answer when the vectors of the tokens are moved at random.

        loss = l(x) + weight · mean over examples of KL(p ‖ q) + KL(q ‖ p),  p = answer at e, q = answer at e + z
        z ~ U(−ε, ε) or N(0, ε²) for each value of each vector e; padding is not moved

    The cheap sister of ``VAT``: no search, two forward passes. Inputs with decimals are moved themselves. Both passes
    see the same dropout, so what is punished is what z changes; in the authors' code each pass draws its own, and the
    embedding learns from the clean pass alone, here (as in the paper's equation) from both. With the paper's
    ε = 1e-5 the term is about 1e-10 and drowns in the rounding of float32; there take ε from 1e-3 on.

    Stage: objective (attack).  Cost: two forward passes, one backward pass through both.
    Strengths: weight in [0, 10], neutral 0, linear; eps in [1e-6, 10], neutral 0, log; stronger = up.
    Shapes: tokens (b, …) or floating inputs (b, …) → same; outputs (b, …, c) logits.
    Use when: a pretrained language model is fine-tuned on few rows.  Avoid when: regression.

    Args:
        weight: weight λ of the disagreement (the paper tries 0.1, 0.5, 1 and 5).
        eps: size ε of the noise, in the units of the vectors.
        noise: ``uniform`` or ``normal``.

    Raises:
        SettingError: a setting outside its range.
        RecipeError: nothing that can be moved; outputs that are no logits.

    Example:
        >>> R3F(0.5, noise="normal").to_dict()
        {'name': 'R3F', 'weight': 0.5, 'eps': 0.001, 'noise': 'normal'}

    References: Aghajanyan et al. (2020), arXiv:2008.03156, section 3.1, eq. 5.

    """

    weight: float = 1.0
    eps: float = 1e-3
    noise: Literal["uniform", "normal"] = "uniform"

    strengths: ClassVar[dict[str, Strength]] = {
        "weight": Strength(1.0, low=0.0, high=10.0, neutral=0.0, words="how much steady answers count"),
        "eps": Strength(1e-3, low=1e-6, high=10.0, neutral=0.0, scale="log", words="size of the noise on each value"),
    }
    family: ClassVar[str] = "smoothness"
    rank: ClassVar[Rank] = Rank.ATTACK
    cost: ClassVar[Cost] = Cost(forwards=2.0)
    effect: ClassVar[Effect] = {"weight": ("departure", "up"), "eps": ("departure", "up")}
    unique: ClassVar[bool] = True
    moves_inputs: ClassVar[bool] = True
    roles: ClassVar[tuple[str, ...]] = ("runs twice",)
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("attacks", "refuse", "both move the same batch, and both ask for steady answers", "Keep one of them"),
        Rule("mixes", "order", "rows are mixed first, then moved", "The answers of the mixed rows are compared"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "aghajanyan2020", "Aghajanyan et al.", 2020, "Better fine-tuning by reducing representational collapse",
            "ICLR", "2008.03156", "section 3.1",
        ),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.noise not in ("uniform", "normal"):
            raise SettingError(f"R3F got noise={self.noise!r}", "'uniform' or 'normal'", "'uniform' is the default")

    @classmethod
    def samples(cls) -> Iterable[Self]:
        """Return both kinds of noise, large enough for float32."""
        return (cls(eps=0.3), cls(eps=0.3, noise="normal"))

    def plan(self, context: Context) -> tuple[nn.Module, ...]:
        """Return the layers whose running statistics the second pass must not move."""
        return tracking(context.model)

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Add the disagreement; where no slopes are wanted (a teacher answers) there is none."""
        address = strengths.address

        def steady(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("weight") or strengths.is_off("eps") or not torch.is_grad_enabled():
                return inner(params, buffers, batch, key)
            far = self._moved(movable(batch, "R3F"), strengths.number("eps"), fold(key, address))
            noise = noise_so_far()
            clean = inner(params, buffers, batch, key)
            with same_noise(noise), unchanged(memory.plan):
                there = inner(params, clean.buffers, far._replace(targets=ANSWERS_ONLY), key)
            seen: Batch = clean.batch or batch
            apart = mean(disagreement(clean.outputs, there.outputs, seen), seen)
            loss = plus(clean.loss, apart, strengths.number("weight"))
            return clean._replace(loss=loss, notes={**clean.notes, f"{address}.disagreement": apart.detach()})

        return steady

    def _moved(self, batch: Batch, eps: Any, key: Any) -> Batch:
        """Return the batch with noise on its floating inputs, or on the vectors of its tokens."""
        points, is_uniform = [], self.noise == "uniform"
        for i, x in enumerate(floating(batch.inputs, "R3F")):
            dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
            drawn = uniform if is_uniform else normal
            z = drawn(fold(key, i), x.shape, x.device, dtype).to(x.dtype)
            if is_uniform:
                z = z - 0.5 if is_batched() else z.sub_(0.5)
            points.append(along(x, z, 2 * eps if is_uniform else eps))
        return batch._replace(inputs=with_floating(batch.inputs, points))


def disagreement(first: Any, second: Any, batch: Batch) -> Tensor:
    """Return KL(p ‖ q) + KL(q ‖ p) = Σ (p − q)(log p − log q) per example, (b, …) without the class axis.

    Raises:
        RecipeError: the outputs are no logits.

    """
    one, two = (log_softmax(class_logits(outputs, "R3F", batch=batch)) for outputs in (first, second))
    return ((one.exp() - two.exp()) * (one - two)).sum(-1)
