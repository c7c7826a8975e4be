"""The scores of a linear model on the wide numbers of blocks: what is served of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from temperance.data.blocks.base import BLOCKS, Arrays, Block, pack, unpack
from temperance.records.schema import Rows, Schema


@BLOCKS.add
class ScoreBlock(Block):
    """scores = Σ_i ``blocks[i].wide(rows) @ weights[i]``, without the intercept.

    Args:
        blocks: fitted on the training rows of the model.
        weights: (Σ w, s) float32, of all blocks, one below the other.
        counts: how many wide numbers w each block gives.

    """

    def __init__(self, blocks: tuple[Block, ...], weights: NDArray[np.float32], counts: tuple[int, ...]) -> None:
        self.blocks, self.weights, self.counts = blocks, weights, counts

    @classmethod
    def fit(cls, rows: Rows, schema: Schema) -> tuple[Self, ...]:
        return ()  # made from a fitted model, never from rows

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"score {j + 1} of {', '.join(self.sources)}" for j in range(self.weights.shape[1]))

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(name for block in self.blocks for name in block.sources)

    def transform(self, rows: Rows) -> NDArray[np.float32]:
        parts = np.split(self.weights, np.cumsum(self.counts)[:-1])
        found = [block.scores(rows, part) for block, part in zip(self.blocks, parts, strict=True) if len(part)]
        return np.sum(found, axis=0, dtype=np.float32) if found else np.zeros((rows.size, self.weights.shape[1]), "f4")

    def to_arrays(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        packed, cards = pack(self.blocks)
        arrays = {"weights": self.weights, **{f"block.{name}": array for name, array in packed.items()}}
        return arrays, {"blocks": cards, "counts": list(self.counts)}

    @classmethod
    def from_arrays(cls, arrays: Arrays, settings: Mapping[str, Any]) -> Self:
        inner = {name.removeprefix("block."): array for name, array in arrays.items() if name.startswith("block.")}
        counts = tuple(int(count) for count in settings["counts"])
        if len(arrays["weights"]) != sum(counts):
            raise ValueError(f"{len(arrays['weights'])} weights for {sum(counts)} numbers")
        return cls(unpack(inner, settings["blocks"]), arrays["weights"], counts)
