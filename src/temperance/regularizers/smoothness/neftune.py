"""NEFTune: noise on the vectors of tokens."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass
from temperance.core.kit.inputs import embedded
from temperance.core.leaves import Leaves
from temperance.core.random import fold, is_batched, uniform
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.core.rules import Rule
from temperance.core.shifted import Shifted
from temperance.records.citation import Citation


@techniques.add
@dataclass(frozen=True, repr=False)
class NEFTune(Regularizer):
    """Add uniform noise to the vectors of the tokens, less for each the longer the text.

        e' = e + α/√(L·d) · u,  u ~ U(−1, 1) for each value;  L counted tokens of the row, d values per vector

    So the noise of a whole row is α/√3 long on average, whatever its length. L leaves padding out, as in the authors'
    code; the Trainer of transformers counts it. Padding gets no noise. The model is one of tokens: the noise goes
    behind its input embedding, see ``Batch.seam``.

    Stage: objective (augment).  Cost: one draw the size of the embedded batch.  Strengths: alpha in [0, 100],
    neutral 0, linear, stronger = up.
    Shapes: tokens (b, …), vectors (b, …, d) → same.
    Use when: a language model is fine-tuned on few instructions.  Avoid when: the vectors are tiny or huge (α is an
    absolute length: look at what the warning says of theirs).

    Args:
        alpha: size α of the noise (the paper takes 5, 10 and 15).

    Raises:
        SettingError: α outside its range.
        RecipeError: no input embedding is found, or several.

    Example:
        >>> NEFTune(10.0).to_dict()
        {'name': 'NEFTune', 'alpha': 10.0}

    References: Jain et al. (2023), arXiv:2310.05914, algorithm 1.

    """

    alpha: float = 5.0

    strengths: ClassVar[dict[str, Strength]] = {
        "alpha": Strength(5.0, low=0.0, high=100.0, neutral=0.0, words="size of the noise on a text's vectors")
    }
    family: ClassVar[str] = "smoothness"
    rank: ClassVar[Rank] = Rank.AUGMENT
    effect: ClassVar[Effect] = {"alpha": ("loss_noise", "up")}
    unique: ClassVar[bool] = True
    moves_inputs: ClassVar[bool] = True
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("attacks", "order", "noise comes first, and the attack starts from there", "Both lengths add up"),
    )
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "jain2023", "Jain et al.", 2023, "NEFTune: noisy embeddings improve instruction finetuning", "ICLR",
            "2310.05914", "algorithm 1",
        ),
    )  # fmt: skip

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Shift the vectors, then go on."""
        address = strengths.address

        def noisy(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("alpha"):
                return inner(params, buffers, batch, key)
            still = embedded(batch, "NEFTune")
            noise = noise_of(still, strengths.number("alpha"), fold(key, address))
            shift = still.shift + noise if still is batch.inputs else noise
            return inner(params, buffers, batch._replace(inputs=still._replace(shift=shift)), key)

        return noisy


def noise_of(still: Shifted, alpha: Tensor | float, key: Any) -> Tensor:
    """Return the noise on the vectors of a batch, padding too.

    Shapes: alpha () → (b, …, d).
    """
    shift = still.shift
    dtype = torch.float64 if shift.dtype == torch.float64 else torch.float32
    drawn = uniform(key, shift.shape, shift.device, dtype)
    length = shift[0].numel() // shift.shape[-1]
    if still.counts is None and isinstance(alpha, float) and not is_batched():
        size = alpha / math.sqrt(length * shift.shape[-1])
        return drawn.mul_(2 * size).sub_(size).to(shift.dtype)
    if still.counts is None:
        lengths = drawn.new_full((len(shift),), float(length))
    else:
        lengths = still.counts.flatten(1).sum(1).clamp(min=1).to(dtype)
    sizes = (alpha / torch.sqrt(lengths * shift.shape[-1])).reshape(-1, *[1] * (shift.dim() - 1))
    return torch.lerp(-sizes, sizes, drawn).to(shift.dtype)
