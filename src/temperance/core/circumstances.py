"""What happens where a technique meets a kind of model or a way of training: rules as data, told by the session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from torch import nn

from temperance.core.policy import is_norm

if TYPE_CHECKING:
    from temperance.core.solo import Solo


@dataclass(frozen=True)
class Circumstance:
    """A sentence about techniques of one role (or class) where a fact holds.

    Attributes:
        meets: class name of a technique, or one of its ``roles``.
        where: a name in ``FACTS``.
        why: plain clause, no full stop.
        remedy: what to do, or what is done already.

    """

    meets: str
    where: str
    why: str
    remedy: str


RULES: tuple[Circumstance, ...] = (
    Circumstance(
        "decays", "normalized weights",
        "some weights stand right before a normalization layer, which undoes their size, so decay only moves their"
        " effective learning rate",
        "Judge it by the validation loss, not by the size of the weights",
    ),
    Circumstance(
        "sets norms", "normalized weights",
        "some weights stand right before a normalization layer, which undoes their size",
        "Expect a change of their effective learning rate only",
    ),
    Circumstance(
        "averages", "batch statistics",
        "the running statistics belong to the trained weights, not to their average",
        "Call session.finish(batches=train), which estimates them anew",
    ),
    Circumstance(
        "ascends", "batch statistics",
        "the second pass normalizes with its own batch",
        "The running statistics are those of the first pass; nothing to do",
    ),
    Circumstance(
        "attacks", "batch statistics",
        "the search for worse inputs uses the running statistics",
        "Only the passes that train move them; nothing to do",
    ),
    Circumstance(
        "ascends", "autocast",
        "cast copies of the weights would outlive the move uphill",
        "Their cache is cleared before each pass; nothing to do",
    ),
    Circumstance(
        "ascends", "scaler",
        "the climb must be measured on true gradients",
        "Both passes are unscaled, and an overflow in one skips the step; nothing to do",
    ),
    Circumstance(
        "clips gradients", "scaler",
        "a bound on the gradient means the true one",
        "Gradients are unscaled before they are clipped; leave out clip_grad_norm_ in your own loop",
    ),
)  # fmt: skip


def scale_free(model: nn.Module) -> tuple[str, ...]:
    """Return the names of weights whose layer stands right before a normalization layer, as far as names show."""
    found: list[str] = []
    for prefix, parent in model.named_modules():
        children = list(parent.named_children())
        for (name, layer), (_, after) in pairwise(children):
            weight = getattr(layer, "weight", None)
            if isinstance(weight, nn.Parameter) and weight.dim() > 1 and is_norm(after):
                found.append(f"{prefix}.{name}.weight".lstrip("."))
    return tuple(found)


FACTS: Mapping[str, Callable[[Solo], bool]] = {
    "normalized weights": lambda solo: bool(scale_free(solo.model)),
    "batch statistics": lambda solo: bool(solo.statistics),
    "autocast": lambda solo: solo.autocast is not None,
    "scaler": lambda solo: solo.scaler is not None,
}


def notes(solo: Solo) -> tuple[str, ...]:
    """Return a sentence for each technique that meets a fact about this model or training."""
    holds = {name: fact(solo) for name, fact in FACTS.items()}
    return tuple(
        f"{type(one).__name__} with {rule.where}: {rule.why}. {rule.remedy}."
        for one in solo.parts.values()
        for rule in RULES
        if holds[rule.where] and (rule.meets == type(one).__name__ or rule.meets in one.roles)
    )


def told(solo: Solo) -> tuple[str, ...]:
    """Return ``notes``, and what techniques tell about this model and training so far."""
    rang = tuple(text for address, one in solo.parts.items() for text in one.alarms(solo.memory[address]))
    return (*notes(solo), *rang)
