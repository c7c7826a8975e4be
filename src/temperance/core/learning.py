"""Learns from the first numbers of a loss of unknown convention how it counts: mean or sum, which places, which class.

The number of a cross-entropy tells all of it, where it is compared with what the cross-entropies of the single places
give: as a mean or a sum, of each place or of the place after it, with all classes or without one of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from temperance.core.convention import IGNORE, Convention, Kind
from temperance.core.devices import widened

HALF = (torch.float16, torch.bfloat16)
LOOKS = 32  # batches that are looked at, where not all classes were seen to count before
_LOOSE = 1e-3  # a loss this near the cross-entropy (computed in another precision, say) is taken for it


class _Layout(NamedTuple):
    """Outputs and labels, place by place: scores (n, c) and labels (n,), and how they were found."""

    axis: int | None
    shifted: bool
    scores: Tensor
    labels: Tensor


class _Way(NamedTuple):
    """One way to count: where the classes stand, whether place t meets label t + 1, and whether a sum is taken."""

    axis: int | None
    shifted: bool
    is_sum: bool


class Learning:
    """What the numbers of a loss told so far.

    Args:
        is_free: nothing is known of the loss; else its convention stands, and only the shift is learnt.

    Attributes:
        done: there is no more to learn.
        shifts: whether place t meets label t + 1; None: not known.
        is_own: the loss is no cross-entropy of outputs (b, t, c) as they are: only it knows how it pairs.

    """

    def __init__(self, *, is_free: bool = True) -> None:
        self.is_free, self.done, self.is_own = is_free, False, False
        self.shifts: bool | None = None
        self._looks = 0
        self._counts: Tensor | None = None  # (c,) classes that were seen to count

    def look(self, outputs: Tensor, labels: Tensor, value: Tensor, convention: Convention) -> Convention:
        """Compare one number of the loss with what each way of counting gives; return the convention as known now.

        Where several ways fit, the next batch tells; where none does, the loss is one of its own kind.

        Shapes: outputs (b, c), (b, …, c) or (b, c, …), or (n, c) for labels of n places in all · labels (b,) or (b, …)
        class numbers · value () or (b, …).
        """
        self._looks += 1
        self.done = self._looks >= LOOKS
        layouts = [] if convention.by_member or not _are_classes(labels) else _layouts(outputs.detach(), labels.long())
        if not layouts:
            self.done = True
            return convention
        outside = _outside(layouts[0], convention.ignore_index)
        if outside is not None and outside > 0 and outside != convention.ignore_index and not self.is_free:
            return self._of_its_own(layouts, convention)
        said = float(value.detach().float().sum() if value.dtype != torch.float64 else value.detach().sum())
        tables = [_by_class(layout) for layout in layouts]
        if not math.isfinite(said) or not all(bool(counts.any()) for _, counts in tables):  # no number, nothing counts
            return convention
        is_one = value.dim() == 0
        sums = (False, True) if is_one and self.is_free else (convention.is_sum and is_one,)
        ways = [_Way(one.axis, one.shifted, is_sum) for one in layouts for is_sum in sums]
        offs = torch.stack(
            [_off(said, *table, is_sum=is_sum or not is_one) for table in tables for is_sum in sums]
        )  # (ways, 1 + c)
        if outside is not None or not self.is_free:
            offs = offs[:, :1]  # one number is left out already, or known
        rounding = 4 * torch.finfo(torch.promote_types(value.dtype, outputs.dtype)).eps
        left = _left_out(offs, rounding)
        if left is not None:
            way, number = left
            if number is None:  # several fit
                return convention
            self.done = True
            return self._taken(ways[way], convention, number)
        if float(offs[:, 0].min()) > max(_LOOSE, rounding):
            return self._of_its_own(layouts, convention)
        return self._all_count(ways, offs, rounding, convention, outside)

    def facts(self) -> dict[str, Any]:
        """Return what the looks told so far, for a checkpoint."""
        return {"is_free": self.is_free, "shifts": self.shifts, "looks": self._looks, "counts": self._counts}

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Learning:
        """Return the one that gave these ``facts``."""
        made = cls(is_free=facts["is_free"])
        made.shifts, made._looks, made._counts = facts["shifts"], facts["looks"], facts["counts"]
        return made

    def _all_count(
        self, ways: list[_Way], offs: Tensor, rounding: float, convention: Convention, outside: int | None
    ) -> Convention:
        """Take the one way that fits with all classes."""
        plain = offs[:, 0]
        best, near = int(plain.argmin()), max(float(plain.min()), rounding)
        alike = [way for way, off in zip(ways, plain.tolist(), strict=True) if off < 4 * near]
        if len({(way.axis, way.shifted) for way in alike}) > 1:
            return convention
        if len(alike) > 1:  # of one place mean and sum are one number
            self._pair(alike[0])
            return convention
        seen = (offs[best, 1:] > 4 * near) & offs[best, 1:].isfinite()
        before = self._counts
        self._counts = seen if before is None or len(before) != len(seen) else seen | before
        self.done = self.done or near > 16 * rounding or bool(self._counts.all())
        return self._taken(ways[best], convention, convention.ignore_index if outside is None else outside)

    def _taken(self, way: _Way, convention: Convention, ignore: int) -> Convention:
        self._pair(way)
        if not self.is_free:
            return convention
        axis = way.axis if convention.axis is None else convention.axis
        return replace(convention, axis=axis, is_sum=way.is_sum, ignore_index=ignore)

    def _pair(self, way: _Way) -> None:
        if way.axis == -1:
            self.shifts = way.shifted

    def _of_its_own(self, layouts: list[_Layout], convention: Convention) -> Convention:
        self.done, self.is_own = True, self.is_free and any(layout.shifted for layout in layouts)
        return replace(convention, is_own=True) if self.is_free else convention


def of_values(outputs: Tensor, targets: Tensor, value: Tensor, convention: Convention) -> Convention:
    """Return the convention of a loss of targets with decimals, by its first number; ``is_own`` where none fits.

    What the targets look like does not tell: rows of a single 1 may be classes, or several labels of which each row
    happens to have one, or values that squares are taken of.

    Shapes: outputs and targets (b, c) or (b, …) · value () or (b, …).
    """
    if outputs.shape != targets.shape or not outputs.is_floating_point():
        return convention
    wide = torch.promote_types(torch.promote_types(outputs.dtype, value.dtype), torch.float32)
    with torch.no_grad():
        out, aims = outputs.detach().to(wide), targets.detach().to(wide)
        said = float(value.detach().to(wide).sum())
        fits = [
            (kind, is_sum)
            for kind, losses in _losses(out, aims)
            for is_sum in ((False, True) if value.dim() == 0 else (True,))
            if _is_near(said, float(losses.sum() if is_sum else losses.mean()), value.dtype, outputs.dtype)
        ]
    kinds = {kind for kind, _ in fits}
    if not math.isfinite(said) or len(kinds) > 1:
        return convention
    if not fits:
        return replace(convention, is_own=True)
    return replace(convention, kind=fits[0][0], is_sum=value.dim() == 0 and all(is_sum for _, is_sum in fits))


def _losses(out: Tensor, aims: Tensor) -> Iterator[tuple[Kind, Tensor]]:
    """Yield torch's losses of targets with decimals, one number per row, label or value; what they say of the targets.

    Shapes: (b, …).
    """
    entropy = functional.cross_entropy
    for axis in {1, out.dim() - 1} if out.dim() > 1 else ():
        placed = [x.movedim(axis, -1).flatten(0, -2) for x in (out, aims)]
        yield "classes", entropy(placed[0], placed[1], reduction="none")
        yield "classes", functional.kl_div(torch.log_softmax(placed[0], -1), placed[1], reduction="none").sum(-1)
    for distance in (functional.mse_loss, functional.l1_loss, functional.smooth_l1_loss):
        yield "numbers", distance(out, aims, reduction="none")
    if bool(((aims >= 0) & (aims <= 1)).all()):
        yield "labels", functional.binary_cross_entropy_with_logits(out, aims, reduction="none")
        if bool(((out >= 0) & (out <= 1)).all()):
            yield "probabilities", functional.binary_cross_entropy(out, aims, reduction="none")


def _is_near(said: float, expected: float, *dtypes: torch.dtype) -> bool:
    rounding = 4 * max(torch.finfo(dtype).eps for dtype in dtypes)
    return abs(said - expected) <= max(_LOOSE, rounding) * max(abs(expected), 1e-9)


def _are_classes(labels: Tensor) -> bool:
    return labels.dim() > 0 and not labels.is_floating_point() and labels.dtype != torch.bool


def _layouts(outputs: Tensor, labels: Tensor) -> list[_Layout]:
    """Return the ways in which class numbers fit outputs of two or more classes; two where both axes could be classes.

    Shapes: as in ``look``.
    """
    found: list[_Layout] = []
    if outputs.dim() == 2:
        if outputs.shape[0] == labels.numel():
            found.append(_Layout(None, False, outputs, labels.flatten()))
    elif outputs.dim() > 2:
        if outputs.shape[:-1] == labels.shape:
            found.append(_Layout(-1, False, outputs.flatten(0, -2), labels.flatten()))
            if outputs.dim() == 3 and labels.shape[1] > 1:
                found.append(_Layout(-1, True, outputs[:, :-1].flatten(0, 1), labels[:, 1:].flatten()))
        if (outputs.shape[0], *outputs.shape[2:]) == labels.shape:
            found.append(_Layout(1, False, outputs.movedim(1, -1).flatten(0, -2), labels.flatten()))
    return [one for one in found if one.scores.shape[1] > 1 and one.scores.is_floating_point()]


def _outside(layout: _Layout, ignore: int) -> int | None:
    """Return the number among the labels that is no class; of several the known ``ignore_index``; None: none."""
    labels = layout.labels
    found = labels[(labels < 0) | (labels >= layout.scores.shape[1])].tolist()
    return None if not found else int(found[0]) if len(set(found)) == 1 else ignore


def _by_class(layout: _Layout) -> tuple[Tensor, Tensor]:
    """Return the sum of cross-entropies and the count of places of each class, (c,) on the CPU; no class counts not."""
    scores, classes = layout.scores, layout.scores.shape[1]
    inside = (layout.labels >= 0) & (layout.labels < classes)
    labels = torch.where(inside, layout.labels, torch.full_like(layout.labels, IGNORE))
    with torch.no_grad():
        wide = scores if scores.dtype == torch.float64 else scores.float()
        entropies = functional.cross_entropy(wide, labels, reduction="none", ignore_index=IGNORE)
    labels, kept = labels.cpu(), inside.cpu()
    totals = torch.bincount(labels[kept], weights=widened(entropies.cpu())[kept], minlength=classes)
    return totals, torch.bincount(labels[kept], minlength=classes)


def _off(said: float, totals: Tensor, counts: Tensor, *, is_sum: bool) -> Tensor:
    """Return how far off a number is, (1 + c,), relative: from all classes, and from all but each; ∞ where none is."""
    rest = torch.cat([totals.sum()[None], totals.sum() - totals])
    kept = torch.cat([counts.sum()[None], counts.sum() - counts])
    expected = rest if is_sum else rest / kept.clamp_min(1)
    off = (said - expected).abs() / expected.abs().clamp_min(1e-9)
    is_there = torch.cat([counts.sum()[None], counts]) > 0
    return torch.where(is_there & (kept > 0), off, torch.full_like(off, math.inf))


def _left_out(offs: Tensor, rounding: float) -> tuple[int, int | None] | None:
    """Return the way and the class without which alone the number fits; no class where several do, None where all do.

    Shapes: offs (w, 1 + c).
    """
    tight = 16 * rounding
    if offs.shape[1] == 1 or float(offs[:, 0].min()) <= tight:
        return None
    way, left = divmod(int(offs[:, 1:].argmin()), offs.shape[1] - 1)
    off = float(offs[way, 1 + left])
    if off > tight:
        return None
    alone = int((offs < 4 * max(off, rounding)).sum()) == 1
    return way, left if alone else None
