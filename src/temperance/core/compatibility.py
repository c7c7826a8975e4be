"""Which techniques can work on a batch and a loss of this kind; whatever cannot is refused by name."""

from __future__ import annotations

from collections.abc import Mapping

from torch.nn.utils.rnn import PackedSequence

from temperance.core.batch import Batch
from temperance.core.nest import leaves
from temperance.core.regularizer import Rank, Regularizer
from temperance.records.errors import RecipeError

_ON_ROWS = (Rank.MIX, Rank.AUGMENT)


def check(techniques: Mapping[str, Regularizer], batch: Batch, *, parts: int = 1) -> None:
    """Refuse techniques that act on rows where there are none to act on.

    Args:
        techniques: by address.
        batch: the first batch.
        parts: micro-batches of one update.

    Raises:
        RecipeError: a technique that acts on rows meets a ``PackedSequence``, or one that mixes rows, row weights or
            micro-batches meet a loss of the whole batch.

    """
    names = [type(one).__name__ for one in techniques.values() if "objective" in one.stages() and one.rank in _ON_ROWS]
    if names and any(isinstance(leaf, PackedSequence) for leaf in leaves(batch.inputs)):
        raise RecipeError(
            f"{', '.join(names)} got a PackedSequence, whose rows are steps of sequences",
            "techniques that act on the rows of the inputs need tensors (b, …)",
            "Give padded sequences (pad_packed_sequence), or leave them out of the recipe",
        )
    if batch.convention.kind != "whole":
        return
    loss = batch.convention.name
    mixing = [type(one).__name__ for one in techniques.values() if one.rank is Rank.MIX and "objective" in one.stages()]
    if mixing:
        raise RecipeError(
            f"{', '.join(mixing)} mixes rows, and {loss} compares the rows of a batch with each other",
            "a loss of the whole batch takes its rows as they are",
            "Leave it out of recipes for contrastive losses",
        )
    if parts > 1:
        raise RecipeError(
            f"{parts} micro-batches were given, and {loss} compares the rows of a batch with each other",
            "its gradient is not the sum of those of parts",
            "Give the whole batch at once",
        )
    if batch.weight is not None:
        raise RecipeError(
            f"the batch has weights, and {loss} gives one number for the whole batch",
            "weights need a loss per row",
            "Weigh the rows in the loss",
        )
