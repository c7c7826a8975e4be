"""Gaussian noise on the inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass
from temperance.core.kit.inputs import floating, movable
from temperance.core.leaves import Leaves
from temperance.core.nest import floating_leaves, with_floating
from temperance.core.random import fold, normal
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.records.citation import Citation


@techniques.add
@dataclass(frozen=True, repr=False)
class FeatureNoise(Regularizer):
    """Add Gaussian noise to the numeric inputs.

        x' = x + σ·ε,  ε ~ N(0, 1)

    Integer leaves (categories) stay as they are. σ is in the units of the inputs, so standardize them. Where the inputs
    are tokens alone, the noise is added to their vectors, in the units of the embedding (``NEFTune`` scales it by the
    length of the text).

    Stage: objective (augment).  Cost: one draw the size of the batch.  Strengths: sigma in [0, 2], neutral 0, linear,
    stronger = up.
    Shapes: inputs (b, …) → same.
    Use when: measurements are noisy; smoothness against small input errors is wanted.  Avoid when: tiny differences of
    an input carry the answer.

    Args:
        sigma: standard deviation σ.

    Raises:
        SettingError: σ outside its range.

    References: Bishop (1995), Neural Computation 7(1), eq. 2 (for small σ equal to a penalty on the input gradient).

    """

    sigma: float = 0.1

    strengths: ClassVar[dict[str, Strength]] = {
        "sigma": Strength(0.1, low=0.0, high=2.0, neutral=0.0, words="size of the noise on the inputs")
    }
    family: ClassVar[str] = "mixing"
    rank: ClassVar[Rank] = Rank.AUGMENT
    moves_inputs: ClassVar[bool] = True
    effect: ClassVar[Effect] = {"sigma": ("loss_noise", "up")}
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "bishop1995",
            "Bishop",
            1995,
            "Training with noise is equivalent to Tikhonov regularization",
            "Neural Computation 7(1)",
        ),
    )

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Disturb the batch, then go on."""
        address = strengths.address

        def noisy(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("sigma"):
                return inner(params, buffers, batch, key)
            batch = movable(batch, "FeatureNoise")
            floating(batch.inputs, "FeatureNoise")
            inputs = disturb(batch.inputs, strengths["sigma"], fold(key, address))
            return inner(params, buffers, batch._replace(inputs=inputs), key)

        return noisy


def disturb(inputs: Any, sigma: Tensor | float, key: Any) -> Any:
    """Return x + σ·ε for each floating leaf; exact for σ = 0.

    Shapes: sigma (); leaves (b, …) → the same.
    """
    xs = floating_leaves(inputs)
    moved = [x + sigma * normal(fold(key, i), x.shape, x.device, x.dtype) for i, x in enumerate(xs)]
    return with_floating(inputs, moved)
