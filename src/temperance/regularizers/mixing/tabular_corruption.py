"""Corruption of table cells by values of other rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from temperance.control.strength import Strength
from temperance.core.batch import Batch, Pass, map_leaves
from temperance.core.devices import exact
from temperance.core.leaves import Leaves
from temperance.core.random import fold, uniform
from temperance.core.regularizer import Effect, Memory, Objective, Rank, Regularizer, Strengths, techniques
from temperance.records.citation import Citation
from temperance.records.errors import RecipeError


@techniques.add
@dataclass(frozen=True, repr=False)
class TabularCorruption(Regularizer):
    """Replace random cells of a table by the same column's value in a random other row.

        x'_ij = x_rj with probability ``rate``, r uniform among the rows of the batch, drawn for each cell; else x_ij

    So each column keeps its own distribution (the empirical marginal, not a uniform one), and categories stay valid
    codes. ``rate`` is the share that is replaced. Columns that belong together (one-hot codes) should be one integer
    column instead.

    Stage: objective (augment).  Cost: one draw and one selection the size of the table.  Strengths: rate in [0, 0.9],
    neutral 0, linear, stronger = up.
    Shapes: tables (b, f), floating or integer → same; other inputs stay.
    Use when: tables with many columns that repeat each other.  Avoid when: one column decides alone; batches of a few
    rows.

    Args:
        rate: share of the cells that are replaced.

    Raises:
        SettingError: rate outside its range.
        RecipeError: there is no table (b, f) among the inputs.

    Example:
        >>> TabularCorruption(0.3).to_dict()
        {'name': 'TabularCorruption', 'rate': 0.3}

    References: Bahri et al. (2022), arXiv:2106.15147, section 3 (SCARF; its rate 0.6 serves contrastive pre-training).

    """

    rate: float = 0.2

    strengths: ClassVar[dict[str, Strength]] = {
        "rate": Strength(0.2, low=0.0, high=0.9, neutral=0.0, words="share of the cells that are replaced")
    }
    family: ClassVar[str] = "mixing"
    rank: ClassVar[Rank] = Rank.AUGMENT
    effect: ClassVar[Effect] = {"rate": ("loss_noise", "up")}
    citations: ClassVar[tuple[Citation, ...]] = (
        Citation(
            "bahri2022", "Bahri et al.", 2022, "SCARF: self-supervised contrastive learning using random corruption",
            "ICLR", "2106.15147", "section 3",
        ),
    )  # fmt: skip

    def objective(self, inner: Objective, strengths: Strengths, memory: Memory) -> Objective:
        """Corrupt the batch, then go on."""
        address = strengths.address

        def corrupted(params: Leaves, buffers: Mapping[str, Tensor], batch: Batch, key: Any) -> Pass:
            if strengths.is_off("rate"):
                return inner(params, buffers, batch, key)
            inputs = corrupt(batch.inputs, strengths.number("rate"), fold(key, address))
            return inner(params, buffers, batch._replace(inputs=inputs), key)

        return corrupted


def corrupt(inputs: Any, rate: Tensor | float, key: Any) -> Any:
    """Return the inputs with cells of each (b, f) leaf replaced; the noise is that of ``key``.

    Raises:
        RecipeError: there is no table among the inputs.

    """
    sites = iter(range(1_000_000))
    shapes: list[tuple[int, ...]] = []

    def one(x: Tensor) -> Tensor:
        shapes.append(tuple(x.shape))
        if x.dim() != 2 or (not isinstance(rate, Tensor) and rate == 0):
            return x
        drawn = uniform(fold(key, "cell", next(sites)), x.shape, x.device, exact(x.device))
        chosen = drawn < rate
        # below the rate, u/rate is uniform again and picks the row; alone, the fresh draw may be overwritten
        spread = drawn * (x.shape[0] / rate) if isinstance(rate, Tensor) else drawn.mul_(x.shape[0] / rate)
        rows = spread.to(torch.int64).clamp(0, x.shape[0] - 1)
        return torch.where(chosen, torch.gather(x, 0, rows), x)

    changed = map_leaves(one, inputs)
    if all(len(shape) != 2 for shape in shapes):
        raise RecipeError(
            f"TabularCorruption found no table among the inputs, only shapes {shapes}",
            "it acts on tables: tensors of two axes (b, f)",
            "For images use Cutout, RandomCrop or TrivialAugment",
        )
    return changed
