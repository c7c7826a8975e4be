"""Inputs of a table to features of a net: smooth and jumpy embeddings of numbers, one-hot or learned categories.

Banks are independent copies of all learned parts side by side, so that nets which must not see each other's rows (the
folds of a cross-validation) train in one pass; with one bank the axis has length 1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from temperance.records.errors import SettingError


class PeriodicEmbedding(nn.Module):
    """Embed each number as itself and d − 1 learned mixtures of cosines of it (PBLD).

    For feature j:  e_j = [ V_j cos(w_j x_j + u_j) + a_j , x_j ].  A net on x alone is too smooth for the bends that
    tables hold; frequencies that are learned per feature cure that. Weight decay leaves these parameters alone.

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

    no_decay = True

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


class PiecewiseEmbedding(nn.Module):
    """Embed each number as d learned piecewise-linear functions of it.

    For feature j with edges t_0 < … < t_p:  e_j = Σ_i clip((x_j − t_{i−1}) / (t_i − t_{i−1}), 0, 1) · V_{ji}.  Each
    piece has a slope of its own, so jumps and thresholds are learned as a tree learns them. Weight decay leaves V be.

    Shapes: input (b, n), output (b, n·d).

    Args:
        edges: rising edges per feature; features may have different counts.
        pieces: p, room for so many pieces per feature, so that other edges fit the same shapes.
        width: d.

    Reference: Gorishniy et al. (2022), arXiv 2203.05556, section 3.2.

    """

    no_decay = True
    slope: Tensor
    start: Tensor

    def __init__(self, edges: tuple[tuple[float, ...], ...], *, pieces: int = 32, width: int = 4) -> None:
        super().__init__()
        longest = max(len(e) for e in edges) - 1
        if longest > pieces:
            raise SettingError(
                f"edges of {longest} pieces",
                f"at most {pieces} pieces per feature",
                f"Take them with models.bin_edges(rows, pieces={pieces})",
            )
        slope, start = torch.zeros(len(edges), pieces), torch.zeros(len(edges), pieces)
        for j, marks in enumerate(edges):
            ends = torch.tensor(marks, dtype=torch.float64)
            lengths = (ends[1:] - ends[:-1]).clamp_min(1e-6)
            slope[j, : len(lengths)] = (1 / lengths).float()
            start[j, : len(lengths)] = (-ends[:-1] / lengths).float()
        self.register_buffer("slope", slope)  # missing pieces: slope 0 and start 0, so they give 0
        self.register_buffer("start", start)
        self.value = nn.Parameter((torch.rand(len(edges), pieces, width) * 2 - 1) / math.sqrt(pieces))

    def forward(self, numeric: Tensor) -> Tensor:
        """Return the features (b, n·d)."""
        filled = torch.clamp(numeric.unsqueeze(-1) * self.slope + self.start, 0.0, 1.0)
        return torch.matmul(filled.transpose(0, 1), self.value).transpose(0, 1).flatten(1)


class Categories(nn.Module):
    """Few categories become a one-hot block, many become a learned vector. Code 0 (unseen) starts as zeros in both.

    Shapes: input codes (b, m) int64, output (b, ``width``).

    Args:
        cardinalities: codes per column, code 0 included.
        one_hot: columns with at most so many codes are one-hot, a number for each code but 0.
        size: length of a learned vector.
        banks: independent copies of the learned vectors, one behind the other in the output (one-hot blocks are
            repeated): width = banks · (width of one).

    """

    column: Tensor
    level: Tensor
    long_column: Tensor
    first: Tensor

    def __init__(self, cardinalities: tuple[int, ...], *, one_hot: int = 10, size: int = 8, banks: int = 1) -> None:
        super().__init__()
        few = [(j, c) for j, c in enumerate(cardinalities) if c <= one_hot]
        many = [(j, c) for j, c in enumerate(cardinalities) if c > one_hot]
        # a column with one code only gives a constant 1
        cells = [(j, level) for j, c in few for level in (range(1, c) if c > 1 else (0,))]
        firsts = [sum(c for _, c in many[:i]) for i in range(len(many))]
        self.register_buffer("column", torch.tensor([j for j, _ in cells], dtype=torch.int64))
        self.register_buffer("level", torch.tensor([level for _, level in cells], dtype=torch.int64))
        self.register_buffer("long_column", torch.tensor([j for j, _ in many], dtype=torch.int64))
        self.register_buffer("first", torch.tensor(firsts, dtype=torch.int64))
        self.table = nn.Embedding(sum(c for _, c in many), size * banks) if many else None
        if self.table is not None:
            with torch.no_grad():
                self.table.weight[self.first] = 0.0
        self.each = len(cells) + size * len(many)
        self.width = self.each * banks
        self._cells, self._many, self._size, self._banks = len(cells), len(many), size, banks

    def forward(self, categorical: Tensor, like: Tensor) -> Tensor:
        """Return the features (b, banks, width of one) in the dtype of ``like``."""
        parts = []
        if self._cells:
            hot = torch.eq(categorical.index_select(1, self.column), self.level).to(like.dtype)
            parts.append(hot.unsqueeze(1).expand(-1, self._banks, -1))
        if self.table is not None:
            found = self.table(categorical.index_select(1, self.long_column) + self.first)
            by_bank = found.view(-1, self._many, self._banks, self._size).transpose(1, 2)
            parts.append(by_bank.reshape(-1, self._banks, self._many * self._size))
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)


class TableInputs(nn.Module):
    """All inputs of a table as one block of features per bank.

    Shapes: numeric (b, n), categorical (b, m) int64; output (banks, b, ``width``).

    Args:
        numeric: n.
        cardinalities: codes per categorical input.
        embeddings: of the numbers, each (b, banks·m) → (b, banks·m·d), m those that are not ``plain``; none: the
            numbers as they are.
        per_number: sum of the embeddings' d.
        banks: independent copies.
        plain: numbers that are taken as they are beside the embedded ones.

    """

    plain: Tensor
    embedded: Tensor

    def __init__(
        self,
        numeric: int,
        cardinalities: tuple[int, ...],
        *,
        embeddings: tuple[nn.Module, ...] = (),
        per_number: int = 1,
        banks: int = 1,
        plain: tuple[int, ...] = (),
    ) -> None:
        super().__init__()
        self.numbers = nn.ModuleList(embeddings)
        self.categories = Categories(cardinalities, banks=banks) if cardinalities else None
        embedded = [j for j in range(numeric) if j not in plain]
        self.register_buffer("plain", torch.tensor(plain, dtype=torch.int64), persistent=False)
        self.register_buffer("embedded", torch.tensor(embedded, dtype=torch.int64), persistent=False)
        numbers = len(embedded) * per_number + len(plain)
        self.width = numbers + (self.categories.each if self.categories else 0)
        self._embedded, self._plain, self._banks = len(embedded), len(plain), banks

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Return the features (banks, b, width)."""
        parts = []
        if self._plain:
            some = numeric.index_select(1, self.plain)
            parts.append(some.unsqueeze(1).expand(-1, self._banks, -1))
        if self._embedded:
            some = numeric.index_select(1, self.embedded) if self._plain else numeric
            copies = some.repeat(1, self._banks) if self._banks > 1 else some
            blocks = [embed(copies) for embed in self.numbers] or [copies]
            parts += [block.reshape(block.shape[0], self._banks, block.shape[1] // self._banks) for block in blocks]
        if self.categories is not None:
            parts.append(self.categories(categorical, numeric))
        joined = parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)
        return joined.transpose(0, 1)
