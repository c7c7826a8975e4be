"""What flows through a training step: batches in, passes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from temperance.core.convention import UNKNOWN, Convention
from temperance.core.counted import Mixed, blend_kept, counted, ignored, marked
from temperance.core.devices import exact
from temperance.core.nest import call, first_leaf, map_leaves, rows
from temperance.records.errors import SettingError

__all__ = (
    "ANSWERS_ONLY", "Batch", "Mixed", "Pass", "between", "call", "first_leaf", "joined", "map_leaves", "mean",
    "measure", "part_of", "per_row", "plus", "portioned", "reduce", "row_counts", "to_device",
)  # fmt: skip

ANSWERS_ONLY: Any = object()  # as ``targets``: the pass is run for its outputs, no loss is computed


class Batch(NamedTuple):
    """One batch. ``inputs``: a tensor (``model(x)``), a tuple or list (``model(*x)``) or a dict (``model(**x)``).

    Attributes:
        inputs: what the model takes.
        targets: what the loss takes, or ``Mixed``.
        weight: (b,) weights of the examples, or (b, …) of their places (tokens, pixels); or None.
        index: (b,) positions in the training set, int64, for techniques that remember examples; or None.
        convention: how the loss reads the targets; set by whoever runs the step.
        seam: finds the input embedding (``core.embedding.Seam``); set likewise, where a technique may ask; or None.
        portion: where it is one of several micro-batches, after the model ran: what a technique's mean is multiplied
            by (None: 1), see ``core.micros.Micros.factor``; else None.

    """

    inputs: Any
    targets: Any
    weight: Tensor | None = None
    index: Tensor | None = None  # type: ignore[assignment]  # shadows tuple.index on purpose
    convention: Convention = UNKNOWN
    seam: Any = None
    portion: Callable[..., Any] | None = None

    @property
    def size(self) -> int:
        """Count of examples."""
        return rows(self.inputs)


class Pass(NamedTuple):
    """One evaluation of the objective.

    Attributes:
        loss: () the value that gradients are taken of.
        outputs: what the model gave; of an object with several parts (``ModelOutput``, a tuple) the part that
            techniques act on, where there is one: logits first.
        buffers: buffers after the pass (population and ``compile``; solo's live in the module).
        memory: new memory by address of the regularizer.
        notes: what a technique wants to tell, detached.
        batch: the batch as the model and the loss took it, so after mixing; empty where nobody told.
        raw: the whole answer of the model where ``outputs`` is a part of it; else empty.

    """

    loss: Tensor
    outputs: Any
    buffers: dict[str, Tensor]
    memory: dict[str, dict[str, Any]]
    notes: dict[str, Tensor]
    batch: Any = ()
    raw: Any = ()

    def remember(self, address: str, **values: Any) -> Pass:
        """Return this pass with new memory for the regularizer at ``address``."""
        return self._replace(memory={**self.memory, address: {**self.memory.get(address, {}), **values}})


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Move every tensor of a batch."""

    def move(part: Any) -> Any:
        return map_leaves(lambda leaf: leaf.to(device, non_blocking=True), part)

    return Batch(move(batch[0]), move(batch[1]), move(batch[2]), move(batch[3]), batch.convention)


def reduce(losses: Tensor, weight: Tensor | None, kept: Tensor | None = None) -> Tensor:
    """Turn a loss () or (b, …) into (): the mean, or Σ wᵢ lᵢ / Σ wᵢ cᵢ where examples are weighted or places left out.

    Args:
        losses: () or (b, …); 0 at places that are left out.
        weight: (b,) or (b, …), or None.
        kept: how far each place counts, (b, …) with c in [0, 1]; None: all do.

    Raises:
        SettingError: there are weights, and the loss is one number.

    """
    if weight is None and kept is None:
        return losses.mean() if losses.dim() else losses
    if losses.dim() == 0:
        if weight is None:
            return losses  # it took its mean itself
        raise SettingError(
            "the batch has weights but the loss returned one number",
            "weights need a loss of shape (b,)",
            "Use reduction='none' in the loss",
        )
    if kept is None:
        assert weight is not None
        places = _over(losses, weight.dim())
        total = weight.sum()
        return (places * weight).sum() / torch.where(total == 0, torch.ones_like(total), total)
    kept = kept.to(losses.dtype)
    if kept.dim() > losses.dim():  # one loss for many places: it counts where any of them does
        kept = (kept.flatten(losses.dim()) > 0).any(-1).to(losses.dtype)
    places = _over(losses, kept.dim())
    if weight is not None:
        kept = kept * _spread(weight, kept)
        places = places * _spread(weight, places)
    total = kept.sum()
    return places.sum() / torch.where(total > 0, total, torch.ones_like(total))  # nothing counts: 0, not 0/0


def per_row(losses: Tensor, batch: Batch) -> Tensor:
    """Return a plain loss as one number per row, (b,), the mean over places that count; (1,) where it is one number."""
    if losses.dim() == 0:
        return losses.reshape(1)
    losses, targets = _by_place(losses, batch.targets)
    if losses.dim() == 1:
        return losses
    kept = ignored(losses, targets, batch.convention)
    if kept is None and (batch.weight is None or batch.weight.dim() == 1):
        return losses.flatten(1).mean(1)
    share = torch.ones_like(losses) if kept is None else _spread(kept.to(losses.dtype), losses).expand_as(losses)
    if batch.weight is not None and batch.weight.dim() > 1:
        share = share * _spread(batch.weight, losses)
    total = share.flatten(1).sum(1)
    return (losses * share).flatten(1).sum(1) / torch.where(total > 0, total, torch.ones_like(total))


def _spread(values: Tensor, like: Tensor) -> Tensor:
    """Return (b, …) with the axes of ``like``, those behind it of size 1."""
    return values.reshape(*values.shape, *[1] * (like.dim() - values.dim()))


def _over(losses: Tensor, axes: int) -> Tensor:
    """Return (b, …) with so many axes: the mean over those behind them."""
    return losses.flatten(axes).mean(axes) if losses.dim() > axes else losses


def mean(values: Tensor, batch: Batch) -> Tensor:
    """Return the mean of ``values`` (b, …) over what counts: rows by their weight, places whose class is left out not.

    This is the one mean that techniques take of a term of their own. Axes behind those of the targets are averaged.
    """
    kept = counted(batch.targets, batch.convention)
    if kept is not None and kept.dim() <= values.dim():
        values = values * _spread(kept.to(values.dtype), values)
    return portioned(reduce(values, batch.weight, kept), batch)


def row_counts(batch: Batch) -> Tensor | None:
    """Return how much each row counts in the mean, (b,): its weight times places that count; None: each once."""
    kept, weight = counted(batch.targets, batch.convention), batch.weight
    if kept is None:
        return weight if weight is None or weight.dim() == 1 else weight.flatten(1).sum(1)
    share = kept if kept.is_floating_point() else kept.to(exact(kept.device))
    if weight is not None:
        share = share * _spread(weight, share) if weight.dim() <= share.dim() else share * _over(weight, share.dim())
    return share.flatten(1).sum(1) if share.dim() > 1 else share


def plus(loss: Tensor, term: Tensor, factor: float | Tensor) -> Tensor:
    """Return loss + factor·term, (); one operation where the factor is a number."""
    if isinstance(factor, Tensor):
        return loss + factor.to(term.dtype) * term
    return torch.add(loss, term, alpha=factor)


def between(loss: Tensor, other: Tensor, share: float | Tensor) -> Tensor:
    """Return (1 − share)·loss + share·other, (), in one operation."""
    return torch.lerp(loss.to(other.dtype), other, share.to(other.dtype) if isinstance(share, Tensor) else share)


def portioned(value: Tensor, batch: Batch, count: Callable[[Batch], Any] | None = None) -> Tensor:
    """Return a technique's mean so that micro-batches, by their shares in the user's loss, make that of all rows.

    Shapes: value () → ().

    Args:
        value: the mean over what counts in this batch.
        batch: the batch, as the pass gave it.
        count: what the mean divides by in a batch; None: what ``mean`` does.

    """
    factor = None if batch.portion is None else batch.portion(count)
    if factor is None:
        return value
    return value * (factor.to(value.dtype) if isinstance(factor, Tensor) else factor)


def measure(loss: Callable[[Any, Any], Tensor], outputs: Any, batch: Batch, *, is_own: bool = False) -> Tensor:
    """Evaluate the loss of a batch, also with ``Mixed`` targets: share·l(first) + (1 − share)·l(second). Returns ().

    Where the targets are ``ANSWERS_ONLY`` it is 0.

    Args:
        loss: () or (b, …) from outputs and targets.
        outputs: what it takes.
        batch: targets, weights and what does not count.
        is_own: the loss is a technique's own, over classes: 0 wherever a class is left out.

    Raises:
        SettingError: a share per example beside a loss that is one number.

    """
    targets = batch.targets
    if targets is ANSWERS_ONLY:
        return first_leaf(outputs).new_zeros(())
    if is_own:
        targets = marked(targets, batch.convention)
    if not isinstance(targets, Mixed):
        values = loss(outputs, targets)
        if values.dim() == 0:
            return values if batch.weight is None else reduce(values, batch.weight)
        values, targets = _by_place(values, targets)
        if is_own:
            return portioned(reduce(values, batch.weight, counted(targets, batch.convention)), batch)
        return reduce(values, batch.weight, ignored(values, targets, _known(loss, batch)))
    first, second = loss(outputs, targets.first), loss(outputs, targets.second)
    share = targets.share
    if share.dim() and first.dim() == 0:
        raise SettingError(
            "examples are mixed one by one but the loss returned one number",
            "a share per example needs a loss of shape (b,)",
            "Use reduction='none' in the loss",
        )
    if first.dim() == 0:
        return reduce(torch.lerp(second, first, share.to(first.dtype)), batch.weight)
    (first, labels), (second, others) = _by_place(first, targets.first), _by_place(second, targets.second)
    if is_own:
        kept = counted(targets, batch.convention)
    else:
        known = _known(loss, batch)
        one, two = ignored(first, labels, known), ignored(second, others, known)
        kept = blend_kept(one, two, share)
    if share.dim() and first.dim() > 1:
        share = share.reshape(-1, *[1] * (first.dim() - 1))
    value = reduce(torch.lerp(second, first, share.to(first.dtype)), batch.weight, kept)
    return portioned(value, batch) if is_own else value


def _known(loss: Any, batch: Batch) -> Convention:
    """Return the convention of the loss, which may have been learnt from the numbers it just gave."""
    return getattr(loss, "learnt", None) or batch.convention


def _by_place(losses: Tensor, targets: Any) -> tuple[Tensor, Any]:
    """Return losses of flattened places, (b·t,), as the targets have them, (b, t), and these targets.

    A causal language model's, (b·(t − 1),) or (b, t − 1), belong to all places but the first.
    """
    if not isinstance(targets, Tensor) or targets.dim() < 2 or targets.is_floating_point():
        return losses, targets
    if losses.dim() == 2 and losses.shape == (targets.shape[0], targets.shape[1] - 1) and targets.dim() == 2:
        return losses, targets[:, 1:]
    if losses.dim() != 1:
        return losses, targets
    if losses.numel() == targets.numel():
        return losses.reshape(targets.shape), targets
    if targets.dim() == 2 and targets.shape[1] > 2 and losses.numel() == targets.shape[0] * (targets.shape[1] - 1):
        return losses.reshape(targets.shape[0], -1), targets[:, 1:]
    return losses, targets


def part_of(loss: Tensor, share: float | Tensor) -> Tensor:
    """Return a micro-batch' part of the big batch' loss; 0 where nothing in it counts, whatever its mean of nothing.

    Shapes: loss (), share () → ().
    """
    if isinstance(share, Tensor):
        return torch.where(share > 0, loss * share.to(loss.dtype), torch.zeros_like(loss))
    return loss if share == 1.0 else loss * share


def joined(passes: Sequence[Pass], shares: Sequence[float | Tensor]) -> Pass:
    """Return the passes of micro-batches as one: the loss is the big batch's, outputs are listed.

    Shapes: shares ().
    """
    parts = (part_of(p.loss.detach(), share) for p, share in zip(passes, shares, strict=True))
    loss = sum(parts, torch.zeros((), device=passes[0].loss.device))
    memory: dict[str, dict[str, Any]] = {}
    for p in passes:
        for address, values in p.memory.items():
            memory.setdefault(address, {}).update(values)
    raws = [p.raw for p in passes]
    return Pass(loss, [p.outputs for p in passes], {}, memory, passes[0].notes, [p.batch for p in passes], raws)
