"""The default net for tables: small nets side by side, half on a smooth and half on a jumpy view of the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self, get_args

import torch
from torch import Tensor, nn

from temperance.models.base import ARCHITECTURES, Architecture, ModelInfo
from temperance.models.defaults import size_for
from temperance.models.edges import pieces_for, standard_edges
from temperance.models.embeddings import PeriodicEmbedding, PiecewiseEmbedding, TableInputs
from temperance.models.layers import Members, Scale
from temperance.records.errors import SettingError

SMOOTH_SCALE, SHARP_SCALE = 0.1, 0.5  # turns per unit: slow waves for smooth members, fast ones for sharp members
WIDE = 100  # above so many numeric features the sharp members see x itself instead of fast waves, to stay cheap


class TabularNet(nn.Module):
    """Two views of the inputs → k members of ``depth`` hidden layers each → logits or values per member.

    *Smooth* members see the numbers through slow waves, *sharp* members through piecewise-linear functions and fast
    waves. Tables differ in which of them generalizes; together they do well on both, and their errors differ, which is
    what averaging needs. Members share nothing but the view of their bank.

    Shapes: numeric (b, n) float, categorical (b, m) int64 → (b, k, c).

    Attributes:
        bank_of: per member the bank (independent copy) it belongs to; see ``models.folds``.
        slot_of: per member its place in the bank: members of one slot differ in the bank alone.
        view_of: per member the view that it sees, a number into ``views``.
        shares: weights of the members in the answer (they sum to 1); None: all count the same.

    """

    def __init__(self, info: ModelInfo, settings: Tabular) -> None:
        super().__init__()
        banks, parts = settings.banks, settings.parts_for(info)
        views = [_view(name, info, settings) for name, _ in parts]
        members = sum(count for _, count in parts)
        self.views = nn.ModuleList(views)
        self.scales = nn.ModuleList(Scale(banks, view.width) for view in views)
        self.entries = nn.ModuleList(
            Members(count, view.width, settings.width) for view, (_, count) in zip(views, parts, strict=True)
        )
        self.hidden = nn.ModuleList(Members(members, settings.width, settings.width) for _ in range(settings.depth - 1))
        self.activations = nn.ModuleList(nn.SiLU() for _ in range(settings.depth))
        self.dropouts = nn.ModuleList(nn.Dropout(settings.dropout) for _ in range(settings.depth))
        self.output = Members(members, settings.width, info.outputs)
        each = [count // banks for _, count in parts]
        starts = [sum(each[:i]) for i in range(len(each))]
        self.bank_of = tuple(bank for size in each for bank in range(banks) for _ in range(size))
        self.slot_of = tuple(
            at + j for at, size in zip(starts, each, strict=True) for _ in range(banks) for j in range(size)
        )
        self.view_of = tuple(i for i, (_, count) in enumerate(parts) for _ in range(count))
        self.members = members
        self.shares = settings.shares or None

    def members_of(self, name: str) -> slice | None:
        """Return the members whose weights a parameter holds along its first axis; None where members share it."""
        room, _, rest = name.partition(".")
        if room == "entries":
            view = int(rest.partition(".")[0])
            start = self.view_of.index(view)
            return slice(start, start + self.view_of.count(view))
        return slice(0, self.members) if room in ("hidden", "output") else None

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Return the outputs of every member (b, k, c)."""
        entered = [
            entry(scale(view(numeric, categorical)))
            for view, scale, entry in zip(self.views, self.scales, self.entries, strict=True)
        ]
        state = entered[0] if len(entered) == 1 else torch.cat(entered, dim=0)
        state = self.dropouts[0](self.activations[0](state))
        for layer, activation, dropout in zip(self.hidden, self.activations[1:], self.dropouts[1:], strict=True):
            state = dropout(activation(layer(state)))
        outputs: Tensor = self.output(state)
        return outputs.transpose(0, 1)


def _view(name: str, info: ModelInfo, settings: Tabular) -> TableInputs:
    """Return one view of the inputs with its own embeddings of the numbers."""
    banks, width = settings.banks, settings.embedding
    plain = info.pairs
    n = info.numeric - len(plain)
    if name == "plain" or not n:
        return TableInputs(info.numeric, info.cardinalities, banks=banks, plain=plain)
    if name == "smooth":
        slow = PeriodicEmbedding(n * banks, frequencies=settings.frequencies, width=width, scale=SMOOTH_SCALE)
        return TableInputs(
            info.numeric, info.cardinalities, embeddings=(slow,), per_number=width, banks=banks, plain=plain
        )
    edges = standard_edges(n, pieces=settings.pieces)
    if info.edges is not None:
        edges = tuple(marks for j, marks in enumerate(info.edges) if j not in plain)
    pieces = PiecewiseEmbedding(edges * banks, pieces=settings.pieces, width=width)
    fast: nn.Module = nn.Identity()
    if n <= WIDE:
        fast = PeriodicEmbedding(n * banks, frequencies=settings.frequencies, width=width, scale=SHARP_SCALE)
    own = width if n <= WIDE else 1
    return TableInputs(
        info.numeric, info.cardinalities, embeddings=(pieces, fast), per_number=width + own, banks=banks, plain=plain
    )


Views = Literal["both", "smooth", "sharp"]


@ARCHITECTURES.add
@dataclass(frozen=True)
class Tabular(Architecture):
    """Settings of ``TabularNet``.

    Attributes:
        members: k, nets side by side; their mean predicts. A multiple of 2 · ``banks``.
        width: units per hidden layer of one member.
        depth: hidden layers.
        views: ``both`` (half of the members smooth, half sharp), ``smooth`` or ``sharp``. Smooth alone did better where
            a target bends slowly (measurements of shapes and of physics), sharp alone on maps and prices.
        banks: independent copies of all that members share. With one bank per fold of a cross-validation, one
            training gives all out-of-fold predictions (``models.folds``).
        embedding: numbers per numeric feature and embedding.
        frequencies: cosines per numeric feature.
        pieces: pieces per numeric feature; ``info.edges`` may have fewer.
        dropout: share of units dropped by the net's own layers. 0, because dropping is a regularizer's business:
            ``Dropout(p)`` re-purposes these layers.
        parts: views with their counts of members, in order, e.g. ``(("smooth", 10), ("smooth", 5), ("sharp", 5))``;
            replaces ``members`` and ``views``. A mixture of readings is such a net: a view of its own for each reading.
        shares: weights of the members in the answer; empty: all count the same.

    """

    members: int = 16
    width: int = 64
    depth: int = 3
    views: Views = "both"
    banks: int = 1
    embedding: int = 4
    frequencies: int = 16
    pieces: int = 32
    dropout: float = 0.0
    parts: tuple[tuple[str, int], ...] = ()
    shares: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple((str(name), int(count)) for name, count in self.parts))
        object.__setattr__(self, "shares", tuple(float(share) for share in self.shares))
        self._check_parts()
        if self.parts:
            object.__setattr__(self, "members", sum(count for _, count in self.parts))
        elif min(self.members, self.width, self.depth, self.banks) < 1 or self.members % (2 * self.banks):
            raise SettingError(
                f"members={self.members}, banks={self.banks}, width={self.width}, depth={self.depth}",
                "all at least 1, and members a multiple of 2 · banks (half smooth, half sharp, in each bank)",
                f"Use members={max(1, round(self.members / (2 * self.banks))) * 2 * self.banks}",
            )
        if self.views not in get_args(Views):
            raise SettingError(f"views={self.views!r}", f"one of {', '.join(get_args(Views))}", "Leave it at 'both'")
        if self.shares and (len(self.shares) != self.members or min(self.shares) <= 0):
            raise SettingError(
                f"{len(self.shares)} shares for {self.members} members",
                "a positive weight per member",
                "Leave them out",
            )
        if min(self.embedding, self.pieces) < 2 or self.frequencies < 1 or not 0 <= self.dropout < 1:
            raise SettingError(
                f"embedding={self.embedding}, pieces={self.pieces}, "
                f"frequencies={self.frequencies}, dropout={self.dropout}",
                "embedding and pieces at least 2, frequencies at least 1, dropout in [0, 1)",
                "Leave them at their defaults",
            )

    def _check_parts(self) -> None:
        for name, count in self.parts:
            if name not in ("smooth", "sharp", "plain") or count < 1 or count % self.banks:
                raise SettingError(
                    f"a part of {count} members that see {name!r}, with {self.banks} banks",
                    "smooth, sharp or plain (a table without numbers), and a multiple of banks",
                    'Write parts=(("smooth", 10), ("sharp", 10))',
                )

    def parts_for(self, info: ModelInfo) -> tuple[tuple[str, int], ...]:
        """Return the views with their counts of members; one plain view where there are no numbers."""
        if self.parts:
            return self.parts
        if not info.numeric:
            return (("plain", self.members),)
        names = ("smooth", "sharp") if self.views == "both" else (self.views,)
        return tuple((name, self.members // len(names)) for name in names)

    @classmethod
    def sized(cls, info: ModelInfo) -> Self:
        size = size_for(info.train_rows)
        n = info.numeric - len(info.pairs)
        return cls(
            members=size.members,
            width=size.width,
            embedding=4 if n <= 64 else 3 if n <= 256 else 2,
            frequencies=max(4, min(16, 1600 // max(1, n))),
            pieces=pieces_for(info.numeric),
        )

    def make(self, info: ModelInfo) -> nn.Module:
        return TabularNet(info, self)
