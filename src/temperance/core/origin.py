"""Where a number that is none came from: the batch, a weight, the model, or a technique."""

from __future__ import annotations

import math
from collections.abc import Sequence

from temperance.core import stages
from temperance.core.batch import Batch
from temperance.core.counted import is_classes
from temperance.core.finite import NotFinite, finite
from temperance.core.nest import tensors
from temperance.core.objective import PlainObjective
from temperance.core.random import fold, pulse
from temperance.core.solo import Solo
from temperance.core.statistics import unchanged


def cause(solo: Solo, fault: NotFinite) -> str:
    """Return in words what saw a number that is none first: the batch, a weight, the model, or a technique.

    The objective is built up technique by technique, from the user's loss outwards, on the same batch and noise.
    """
    batch, key = fault.batch, fault.key
    for what, part in (("inputs", batch.inputs), ("targets", batch.targets), ("weights of the rows", batch.weight)):
        if not finite([t for t in tensors(part) if t.is_floating_point() or t.is_complex()]):
            return f"the {what} of the batch hold NaN or infinity"
    broken = [name for name, p in solo.home.items() if not finite([p.detach()])]
    if broken:
        return f"the weight {broken[0]} (and {len(broken) - 1} more) was not finite before it: the last update did that"
    order = stages.objective_order(solo.parts)
    for count in range(len(order) + 1):
        if not math.isfinite(_objective(solo, order[:count], batch, key)):
            if count == 0 and _counts_nothing(batch):
                return f"no row of the batch counts: all its targets are {batch.convention.ignore_index}"
            if count == 0:
                return "the model or the loss itself gave it, before any technique had touched the loss"
            return f"{order[count - 1]} made it from a finite loss"
    return "it came with the gradients or a second pass of " + (
        ", ".join(a for a, one in solo.parts.items() if "gradient" in one.stages()) or "the model's own layers"
    )


def _objective(solo: Solo, addresses: Sequence[str], batch: Batch, key: int) -> float:
    parts = {address: solo.parts[address] for address in solo.parts if address in addresses}
    plain = PlainObjective(solo.plain, solo.loss, is_entropy=solo.loss.is_entropy)
    objective = stages.objective(parts, plain, solo.strengths, solo.memory)
    own = fold(key, solo.rank) if solo.rank else key
    with unchanged(solo.statistics), pulse(own):
        return float(objective(solo.home, {}, batch, own).loss.detach())


def _counts_nothing(batch: Batch) -> bool:
    targets = batch.targets
    return is_classes(targets, batch.convention) and bool((targets == batch.convention.ignore_index).all())
