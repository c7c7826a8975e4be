"""Inputs of a table to features of a net: periodic embeddings of numbers, one-hot or learned vectors of categories."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class PeriodicEmbedding(nn.Module):
    """Embed each number as itself and d − 1 learned mixtures of cosines of it (PBLD).

    For feature j:  e_j = [ V_j cos(w_j x_j + u_j) + a_j , x_j ].  A net on x alone is too smooth for the jumps that
    tables hold; frequencies that are learned per feature cure that.

    Shapes: input (b, n), output (b, n·d).

    Args:
        numeric: count n of features.
        frequencies: cosines per feature.
        width: d, numbers per feature in the output, the feature itself included.
        scale: standard deviation of the frequencies at the start, in turns per unit of the scaled feature.
        rate: parameters move at this share of the learning rate. With Adam that is a change of variables
            (parameter = rate · θ), so no optimizer groups are needed.

    Reference: Gorishniy et al. (2022), arXiv 2203.05556; bias and skip: Holzmüller et al. (2024), arXiv 2407.04491.

    """

    def __init__(
        self, numeric: int, *, frequencies: int = 16, width: int = 4, scale: float = 0.1, rate: float = 0.1
    ) -> None:
        super().__init__()
        self.rate = rate
        reach = 1 / math.sqrt(frequencies)
        self.frequency = nn.Parameter(torch.randn(numeric, frequencies) * (2 * math.pi * scale / rate))
        self.phase = nn.Parameter((torch.rand(numeric, frequencies) * 2 - 1) * (math.pi / rate))
        self.mixture = nn.Parameter((torch.rand(numeric, frequencies, width - 1) * 2 - 1) * (reach / rate))
        self.offset = nn.Parameter((torch.rand(numeric, width - 1) * 2 - 1) * (reach / rate))

    def forward(self, numeric: Tensor) -> Tensor:
        """Return the features (b, n·d)."""
        waves = torch.cos(numeric.unsqueeze(-1) * (self.frequency * self.rate) + self.phase * self.rate)
        mixed = torch.matmul(waves.transpose(0, 1), self.mixture * self.rate).transpose(0, 1) + self.offset * self.rate
        return torch.cat([mixed, numeric.unsqueeze(-1)], dim=-1).flatten(1)


class Categories(nn.Module):
    """Few categories become a one-hot block, many become a learned vector.

    Shapes: input codes (b, m) int64, output (b, ``width``).

    Args:
        cardinalities: codes per column.
        one_hot: columns with at most so many codes are one-hot; two codes need one number.
        size: length of a learned vector.

    """

    column: Tensor
    level: Tensor
    long_column: Tensor
    start: Tensor

    def __init__(self, cardinalities: tuple[int, ...], *, one_hot: int = 9, size: int = 8) -> None:
        super().__init__()
        few = [(j, c) for j, c in enumerate(cardinalities) if c <= one_hot]
        many = [(j, c) for j, c in enumerate(cardinalities) if c > one_hot]
        cells = [(j, level) for j, c in few for level in (range(c) if c > 2 else range(1, 2))]
        self.register_buffer("column", torch.tensor([j for j, _ in cells], dtype=torch.int64))
        self.register_buffer("level", torch.tensor([level for _, level in cells], dtype=torch.int64))
        starts = [sum(c for _, c in many[:i]) for i in range(len(many))]
        self.register_buffer("long_column", torch.tensor([j for j, _ in many], dtype=torch.int64))
        self.register_buffer("start", torch.tensor(starts, dtype=torch.int64))
        self.table = nn.Embedding(sum(c for _, c in many), size) if many else None
        self.width = len(cells) + size * len(many)
        self._cells = len(cells)

    def forward(self, categorical: Tensor, like: Tensor) -> Tensor:
        """Return the features (b, width) in the dtype of ``like``."""
        parts = []
        if self._cells:
            parts.append(torch.eq(categorical.index_select(1, self.column), self.level).to(like.dtype))
        if self.table is not None:
            codes = categorical.index_select(1, self.long_column) + self.start
            parts.append(self.table(codes).flatten(1))
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


class TableInputs(nn.Module):
    """All inputs of a table as one block of features.

    Shapes: numeric (b, n), categorical (b, m) int64; output (b, ``width``).

    Args:
        numeric: count n of numeric inputs.
        cardinalities: codes per categorical input.
        embed: give numbers periodic embeddings; otherwise they pass as they are.
        embedding: settings of ``PeriodicEmbedding``.

    """

    def __init__(self, numeric: int, cardinalities: tuple[int, ...], *, embed: bool, **embedding: float) -> None:
        super().__init__()
        self.numbers = PeriodicEmbedding(numeric, **embedding) if embed and numeric else None  # type: ignore[arg-type]
        self.categories = Categories(cardinalities) if cardinalities else None
        per_number = int(embedding.get("width", 4)) if embed else 1
        self.width = numeric * per_number + (self.categories.width if self.categories else 0)
        self._numeric = numeric

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Return the features (b, width)."""
        parts = []
        if self._numeric:
            parts.append(numeric if self.numbers is None else self.numbers(numeric))
        if self.categories is not None:
            parts.append(self.categories(categorical, numeric))
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
