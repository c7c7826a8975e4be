"""Everything that a watch has seen, as rules read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from temperance.proof.decay import Decay
from temperance.proof.passes import Pass
from temperance.proof.weights import Weights


@dataclass
class Seen:
    """What a watch has seen.

    Attributes:
        model: the watched module without wrappers.
        names: names of its modules.
        weights: which weights were scored and saved.
        decay: what the optimizer's groups did.
        loss: the loss that the user named, or None.
        expects: what the run is meant to have.
        passes: forward passes that were listened to.
        smoothing: of each cross-entropy, and whether a gradient could come back through it.
        soft: a cross-entropy was trained on targets that are shares of classes, smoothed by the user maybe.
        clips: calls that clip gradients of the optimizer's parameters in time, of others, or after the step.
        longest: largest norm of gradients that was clipped, as a share of what is let through, (); None: not known.
        fresh: a gradient came back since the last step.
        resting: passes in a row, up to the last, that were trained on while the model stood in evaluation mode.
        came_back: one ever did: the run calls the watched model itself.

    """

    model: nn.Module
    names: dict[nn.Module, str]
    weights: Weights
    decay: Decay
    loss: Any = None
    expects: tuple[str, ...] = ()
    passes: list[Pass] = field(default_factory=list)
    smoothing: list[tuple[float, bool]] = field(default_factory=list)
    clips: dict[str, int] = field(default_factory=lambda: {"held": 0, "foreign": 0, "late": 0})
    soft: bool = False
    longest: Tensor | None = None
    fresh: bool = False
    resting: int = 0
    came_back: bool = False
