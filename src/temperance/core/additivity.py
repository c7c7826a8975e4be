"""Whether the losses of micro-batches add up to that of the whole batch, asked once of a loss that does not say it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from temperance.core.batch import Batch, Pass, part_of
from temperance.core.criterion import Criterion
from temperance.core.nest import fields_of, first_leaf, is_sequence, map_leaves, tensors

_TRIES = 8  # steps after which a loss whose micro-batches could not be compared is left alone
_LOOSE = 1e-3  # relative; the whole batch may be summed in another order, or in half precision


class NotAdditive(UserWarning):
    """The losses of micro-batches, by their shares, are not the loss of the whole batch."""


class Additivity:
    """Compares, in the first step of several micro-batches, their losses with the loss of all their rows at once.

    A loss whose function tells nothing may divide by what it alone knows (``lambda out, y: F.cross_entropy(out, y,
    weight=w)`` by the weights of the classes that it meets), and then no share makes the parts the whole. The loss is
    asked again, for outputs that are there already, and what counts are its slopes in these: numbers may agree by
    chance. Where micro-batches cannot be joined (sequences of several lengths), one of them is cut in two and joined
    again. torch's generators are put back. A loss that draws, or of one number per row, is not judged.

    Args:
        criterion: the user's loss.

    """

    def __init__(self, criterion: Criterion) -> None:
        self._criterion = criterion
        self._left = _TRIES if criterion.loss is not None and criterion.convention.kind == "unknown" else 0

    def look(self, passes: Sequence[Pass], micros: Sequence[Batch]) -> None:
        """Warn where the parts do not make the whole; nothing once that is known.

        Args:
            passes: of the micro-batches, with the answers of the model.
            micros: the micro-batches as they were given.

        Warns:
            NotAdditive: the gradient of the micro-batches is not that of the whole batch.

        """
        if not self._left:
            return
        self._left -= 1
        if any(one.weight is not None for one in micros):
            return
        pairs = [
            (one.outputs if one.raw == () else one.raw, batch.targets)
            for one, batch in zip(passes, micros, strict=True)
        ]
        if not (_fit([x for x, _ in pairs]) and _fit([y for _, y in pairs])):
            pairs = _cut(max(pairs, key=lambda pair: len(first_leaf(pair[0]))))
            micros = [Batch(first_leaf(x), y) for x, y in pairs]
        if pairs:
            self._compare(pairs, micros)

    def _compare(self, pairs: Sequence[tuple[Any, Any]], micros: Sequence[Batch]) -> None:
        loss, device = self._criterion, first_leaf(pairs[0][0]).device
        answers = [map_leaves(_own, x) for x, _ in pairs]
        with torch.enable_grad(), torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            whole = loss.value(_joined(answers), _joined([y for _, y in pairs]))
            parts = [loss.value(x, y) for x, (_, y) in zip(answers, pairs, strict=True)]
            again = loss.value(answers[0], pairs[0][1])
        if not all(
            bool(torch.isfinite(one).all()) for one in (whole, *parts)
        ):  # in a part nothing counts: another time
            return
        self._left = 0
        if whole.dim() or not torch.equal(again, parts[0]):  # of one number per row, or it draws
            return
        shares = loss.shares(micros)
        made = sum((part_of(one, share) for one, share in zip(parts, shares, strict=True)), torch.zeros_like(whole))
        if _apart(made, whole, [x for one in answers for x in tensors(one) if x.requires_grad]):
            parts_make, is_whole = float(made.detach()), float(whole.detach())
            warnings.warn(
                f"The losses of the micro-batches make {parts_make:.6g}, and {loss.convention.name} of all their rows "
                f"at once is {is_whole:.6g}: it divides by something that it does not tell, such as weights of "
                "classes, so the gradient is not that of the whole batch. Give torch's own loss "
                "(nn.CrossEntropyLoss(weight=…)), a loss that gives one number per row (reduction='none', each times "
                "its weight), or whole batches",
                NotAdditive,
                stacklevel=2,
            )


def _own(x: Tensor) -> Tensor:
    x = x.detach()
    return x.requires_grad_() if x.is_floating_point() else x


def _apart(made: Tensor, whole: Tensor, answers: Sequence[Tensor]) -> bool:
    """Return whether two numbers have other slopes in the answers, as far as their precision tells.

    Shapes: made and whole (), answers (b, …).
    """
    if not (made.requires_grad and whole.requires_grad):
        return False
    slopes = [torch.autograd.grad(one, answers, allow_unused=True) for one in (made, whole)]
    here, there = (
        torch.cat([(torch.zeros_like(x) if g is None else g).flatten().to(torch.float32) for g, x in pairs])
        for pairs in (zip(one, answers, strict=True) for one in slopes)
    )
    loose = max(_LOOSE, *(8 * torch.finfo(x.dtype).eps for x in (whole, *answers)))
    return float((here - there).norm()) > loose * float(there.norm())


def _cut(pair: tuple[Any, Any]) -> list[tuple[Any, Any]]:
    """Return answers and targets of the first third of the rows, and of the others; nothing where they have none."""
    leaves = [*tensors(pair[0]), *tensors(pair[1])]
    if any(not x.dim() for x in leaves) or len({len(x) for x in leaves}) != 1 or len(leaves[0]) < 2:
        return []
    place = max(1, len(leaves[0]) // 3)
    return [
        tuple(map_leaves(lambda x, rows=rows: x[rows], one) for one in pair)  # type: ignore[misc]
        for rows in (slice(place), slice(place, None))
    ]


def _fit(nests: Sequence[Any]) -> bool:
    """Return whether all tensors of answers or targets are rows that can be joined."""
    found = [[*tensors(nest)] for nest in nests]
    if not found[0] or len({len(one) for one in found}) > 1 or any(not x.dim() for one in found for x in one):
        return False
    return all(len({x.shape[1:] for x in same}) == 1 for same in zip(*found, strict=True)) and all(
        len({len(x) for x in one}) == 1 and len(one[0]) for one in found
    )


def _joined(nests: Sequence[Any]) -> Any:
    """Return answers or targets below each other; what is no tensor is that of the first."""
    first = nests[0]
    if isinstance(first, Tensor):
        return torch.cat([*nests])
    named = fields_of(first)
    if named is not None:
        parts = {name: _joined([(fields_of(one) or {})[name] for one in nests]) for name in named}
        return parts if type(first) is dict else type(first)(**parts)
    return type(first)(_joined(same) for same in zip(*nests, strict=True)) if is_sequence(first) else first
