"""What a session takes in: batches whose kind its techniques and its loss can work on; the rest is refused by name."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn
from torch.nn.utils.rnn import PackedSequence

from temperance.core.batch import Batch
from temperance.core.batches import Reader
from temperance.core.convention import Convention, taught
from temperance.core.criterion import Criterion
from temperance.core.nest import leaves
from temperance.core.regularizer import Rank, Regularizer
from temperance.records.errors import RecipeError

Techniques = Mapping[str, Regularizer]
_ON_ROWS = (Rank.MIX, Rank.AUGMENT)
_TERMS = (Rank.ATTACK, Rank.TARGET, Rank.PENALTY)


class NotCrossEntropy(UserWarning):
    """A technique takes a cross-entropy out of the loss and puts its own term there, and the loss is another one."""


class Intake(Reader):
    """A session's reader: it learns from the first batch what the loss did not say, and refuses what cannot work.

    Args:
        model: the user's module.
        criterion: how its answers and targets are read; it learns too.
        techniques: the recipe by address.
        collate: the user's own ``raw → Batch``.

    """

    def __init__(
        self, model: nn.Module, criterion: Criterion, techniques: Techniques, collate: Callable[[Any], Any] | None
    ) -> None:
        self.criterion, self.techniques, self._looked = criterion, techniques, False
        super().__init__(
            model, collate=collate, convention=criterion.convention, needs_targets=criterion.loss is not None
        )

    def micros(self, value: Any) -> list[Batch]:
        """Return the micro-batches of one update; see ``Reader``."""
        if self._looked and type(value) is not list:  # the usual step, in one call less
            return [self.one(value)]
        found = super().micros(value)
        return found if self._looked and len(found) == 1 else self._looked_at(found, len(found))

    def next_of(self, value: Any, before: int) -> Batch:
        """Return the one batch that follows so many micro-batches of the same update."""
        found = self.one(value)
        return found if self._looked and not before else self._looked_at([found], before + 1)[0]

    @property
    def convention(self) -> Convention:
        """How the loss reads its targets, as far as it is known now."""
        return self.criterion.convention

    @convention.setter
    def convention(self, known: Convention) -> None:
        self.criterion.convention = known

    def _looked_at(self, found: list[Batch], parts: int) -> list[Batch]:
        self._looked = True
        self.convention = taught(found[0].convention, found[0].targets)
        check(self.techniques, found[0], parts=parts)
        return [one._replace(convention=self.convention) for one in found]


def check(techniques: Techniques, batch: Batch, *, parts: int = 1) -> None:
    """Refuse techniques that act on rows where there are none to act on.

    Args:
        techniques: by address.
        batch: the first batch.
        parts: micro-batches of one update.

    Raises:
        RecipeError: a technique that acts on rows meets a ``PackedSequence``, one that mixes rows, row weights or
            micro-batches meet a loss of the whole batch, a term that is a mean meets a loss that sums, or a technique
            that softens targets one that does so itself.

    """
    names = [type(one).__name__ for one in techniques.values() if "objective" in one.stages() and one.rank in _ON_ROWS]
    if names and any(isinstance(leaf, PackedSequence) for leaf in leaves(batch.inputs)):
        raise RecipeError(
            f"{', '.join(names)} got a PackedSequence, whose rows are steps of sequences",
            "techniques that act on the rows of the inputs need tensors (b, …)",
            "Give padded sequences (pad_packed_sequence), or leave them out of the recipe",
        )
    require_plain(techniques, batch)
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


def require_plain(techniques: Techniques, batch: Batch) -> None:
    """Refuse terms that are means over rows beside a loss that sums, and targets that would be softened twice.

    Raises:
        RecipeError: the recipe has one of these.

    Warns:
        NotCrossEntropy: a technique takes the place of a cross-entropy that the loss is not.

    """
    convention = batch.convention
    if convention.is_sum:
        names = [
            type(one).__name__ for one in techniques.values() if one.rank in _TERMS and "objective" in one.stages()
        ]
        if names:
            raise RecipeError(
                f"{', '.join(names)} beside {convention.name}, which sums over rows",
                "what a technique adds or replaces is a mean over rows, so its weight would depend on the batch's size",
                "Give the loss with reduction='mean' or 'none', and the learning rate times the rows of a batch",
            )
    if convention.is_own and convention.kind != "shifted":  # that is refused by the technique
        names = [type(one).__name__ for one in techniques.values() if "replaces the loss" in one.roles]
        if names:
            warnings.warn(
                f"{', '.join(names)} takes the place of a plain cross-entropy, and {convention.name} gives another "
                "number than that. What the loss adds to a cross-entropy stays; if it weighs or softens classes, or is "
                f"no cross-entropy, leave {names[0]} out",
                NotCrossEntropy,
                stacklevel=2,
            )
    if convention.smoothing:
        names = [type(one).__name__ for one in techniques.values() if "softens targets" in one.roles]
        if names:
            raise RecipeError(
                f"{', '.join(names)} beside {convention.name} with label_smoothing={convention.smoothing:g}",
                "one of them: the targets would be softened twice",
                "Leave label_smoothing out of the loss, or the technique out of the recipe",
            )
