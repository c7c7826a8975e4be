"""Memory of one row of numbers per training example, addressed by ``batch.index``.

Solo writes into its table in place, but only at the next step: a second pass of the same step still sees the old rows.
Elsewhere a new table is made.
"""

from __future__ import annotations

import torch
from torch import Tensor

from temperance.core.batch import Batch, Mixed, Pass
from temperance.core.regularizer import Memory
from temperance.records.errors import RecipeError


def places(batch: Batch, owner: str) -> Tensor:
    """Return the positions of a batch's examples, (b,).

    Raises:
        RecipeError: they are not given, or the batch is mixed, so that an example is two.

    """
    if batch.index is None:
        raise RecipeError(
            f"{owner} got a batch without index",
            "it remembers each training example by its position in the training set",
            "Give Batch(inputs, targets, index=…), int64 of shape (b,)",
        )
    if isinstance(batch.targets, Mixed):
        raise RecipeError(
            f"{owner} got a mixed batch",
            "it remembers single examples, and a blend is two",
            f"Leave the mixing technique or {owner} out",
        )
    return batch.index


def recall(memory: Memory, index: Tensor, like: Tensor, *, in_place: bool) -> Tensor:
    """Return what was remembered of the examples at ``index``, (b, c) as ``like``; zeros for those never seen."""
    table: Tensor | None = memory.get("table")
    if table is not None and in_place and "rows" in memory:
        if memory.journal is not None:  # this step may still be left out
            memory.journal.append((table, memory["where"], table[memory["where"]]))
        table.index_copy_(0, memory["where"], memory["rows"])
    needed = int(index.max()) + 1
    if table is None or table.shape[0] < needed:
        held = 0 if table is None else table.shape[0]
        more = like.detach().new_zeros((max(needed, 2 * held) - held, like.shape[-1]))
        table = more if table is None else torch.cat([table, more])
        memory["table"] = table
    return table[index]


def remember(passed: Pass, memory: Memory, index: Tensor, rows: Tensor, *, in_place: bool) -> Pass:
    """Return the pass with new rows for the examples at ``index``; call ``recall`` first.

    Shapes: index (b,) int64, rows (b, c).
    """
    if in_place:
        return passed.remember(memory.address, rows=rows, where=index)
    return passed.remember(memory.address, table=memory["table"].index_put((index,), rows))
