"""Inputs of whole numbers, and what is done to the vectors that the model's input embedding gives for them.

Token ids have no slopes and no blends, their vectors have both. ``Shifted`` is what the inputs of a batch become where
a technique acts on these vectors. Calling the model with it (``nest.call``) calls the model with the inputs inside, and
hands the rest, by the running pulse, to the hook on the embedding (``core.embedding``). So a checkpointed part that
runs again in the backward pass does the same again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor

from temperance.core.random import Pulse, running
from temperance.core.wrappers import uncompiled
from temperance.records.errors import RecipeError

SITE = "temperance/input embedding"


class Blend(NamedTuple):
    """Vectors of two rows: share·own + (1 − share)·partner's; padding counts as 0.

    Shapes: partner (b,) int64 · share () · counts (b, …) or None.
    """

    partner: Tensor
    share: Tensor
    counts: Tensor | None


class Shifted(NamedTuple):
    """Inputs without a floating tensor, and what is done to the vectors of their tokens.

    Attributes:
        inputs: what the model takes.
        shift: (b, …, d) what is added to the vectors; last.
        counts: (b, …) 1 where the shift counts, 0 on padding; None: everywhere.
        call: which call of the embedding in a pass is meant, from 0.
        kept: (b, …) what the vectors are multiplied with, first; None: 1.
        blend: whose vectors are mixed in, second; None: nobody's.

    """

    inputs: Any
    shift: Tensor
    counts: Tensor | None
    call: int = 0
    kept: Tensor | None = None
    blend: Blend | None = None

    def rows(self, last: Callable[[Tensor], Tensor]) -> Shifted:
        """Return what is done to some rows alone: their shift, what counts of them and what is kept.

        Shapes: (b, …) → (k, …) by ``last``; whose vectors are mixed in must be nobody's.
        """
        counts, kept = (None if x is None else last(x) for x in (self.counts, self.kept))
        return self._replace(shift=last(self.shift), counts=counts, kept=kept)

    def of(self, vectors: Tensor) -> Tensor:
        """Return the vectors as the model shall get them.

        Shapes: (…, d) with as many numbers as the shift → the same.
        """
        is_alike = vectors.shape == self.shift.shape
        out = vectors if is_alike else vectors.reshape(*self.shift.shape)
        if self.kept is not None:
            out = out * self.kept.to(out.dtype).unsqueeze(-1)
        if self.blend is not None:
            own = _where(out, self.blend.counts)
            out = torch.lerp(torch.index_select(own, 0, self.blend.partner), own, self.blend.share.to(own.dtype))
        out = out + _where(self.shift.to(out.dtype), self.counts)
        return out if is_alike else out.reshape(vectors.shape)


def _where(vectors: Tensor, counts: Tensor | None) -> Tensor:
    return vectors if counts is None else vectors * counts.to(vectors.dtype).unsqueeze(-1)


class _Hand:
    """What one call of the model hands to the hook."""

    def __init__(self, shifted: Shifted, begun: int) -> None:
        self.shifted, self.begun, self.done = shifted, begun, False


@contextmanager
def handed(shifted: Shifted) -> Iterator[None]:
    """Hand ``shifted`` to the hook for one call of the model, and for its parts that run again.

    Compiled models run uncompiled meanwhile: their code does not know of the hook.

    Raises:
        RecipeError: the embedding did not run in this call.

    """
    now = running()
    if now is None:
        raise RuntimeError("a model was called with shifted embeddings outside a step")
    hand = _Hand(shifted, now.calls.get(SITE, 0))
    before = now.handed.get(SITE)
    now.handed[SITE] = hand
    try:
        with uncompiled():
            yield
    finally:
        now.handed[SITE] = before
    if not hand.done:
        raise RecipeError(
            "the input embedding that was found at the first batch did not run in this pass",
            "it must be part of each forward pass, and be called as often as in the first",
            "Leave techniques that act on embeddings out, or let forward call the embedding in the same way each time",
        )


def moved(vectors: Tensor) -> Tensor | None:
    """Return what the running pass makes of an output of the input embedding; None: it stays as it is.

    Shapes: (…, d) → the same.
    """
    now: Pulse | None = running()
    hand: _Hand | None = None if now is None else now.handed.get(SITE)
    if now is None or hand is None or now.count(SITE) - hand.begun != hand.shifted.call:
        return None
    hand.done = True
    return hand.shifted.of(vectors)
