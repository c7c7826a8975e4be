"""The grammar of a block: fitted on training rows, it turns what a row holds beside numbers into numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from temperance.records.errors import BundleError
from temperance.records.registry import Registry
from temperance.records.schema import Column, Rows, Schema

Arrays = Mapping[str, NDArray[Any]]


class Block(ABC):
    """Numbers computed from columns of text, from series, or from other columns.

    One object is one fitted block. It needs NumPy alone to ``transform``, so that the server does too, and holds what
    ``to_arrays`` gives and nothing else. A row's numbers do not depend on the rows beside it.
    """

    @classmethod
    @abstractmethod
    def fit(cls, rows: Rows, schema: Schema) -> tuple[Self, ...]:
        """Fit on ``rows``, which are training rows; none where the schema holds nothing for this block.

        Targets play no part, so that rows whose answers are held out may be among them.
        """

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Names of the d numbers, for people."""

    @property
    @abstractmethod
    def sources(self) -> tuple[str, ...]:
        """Names of the columns of the schema that are read."""

    @abstractmethod
    def transform(self, rows: Rows) -> NDArray[np.float32]:
        """Return the numbers (b, d), finite and mostly between -3 and 3: a net takes them as they are."""

    @abstractmethod
    def to_arrays(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return plain arrays and JSON-safe fields; ``from_arrays`` takes both."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, arrays: Arrays, settings: Mapping[str, Any]) -> Self:
        """Rebuild what ``to_arrays`` gave."""

    def wide(self, rows: Rows) -> Any:
        """Return many more numbers (b, w) for a linear model, an array or a SciPy CSR matrix; None: there are none."""
        return None

    def words_only(self) -> Block:
        """Return what ``scores`` needs of the block, to ship it."""
        return self

    @property
    def wide_width(self) -> int:
        """Count w of the wide numbers; 0: there are none."""
        return 0

    def scores(self, rows: Rows, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``wide(rows) @ weights``, (b, w) × (w, s) → (b, s)."""
        return np.asarray(self.wide(rows) @ weights, dtype=np.float32)

    @property
    def width(self) -> int:
        """Count d of numbers."""
        return len(self.names)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        (a, x), (b, y) = self.to_arrays(), other.to_arrays()  # type: ignore[attr-defined]
        return x == y and a.keys() == b.keys() and all(np.array_equal(a[key], b[key]) for key in a)

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.names, self.sources))


BLOCKS: Registry[Block] = Registry("block", "temperance.blocks")


def fit_blocks(rows: Rows, schema: Schema) -> tuple[Block, ...]:
    """Fit every kind of block that the schema has columns for, on training rows."""
    if schema.kind != "table" or not (schema.text or schema.series):
        return ()
    return tuple(block for name in sorted(BLOCKS) for block in BLOCKS[name].fit(rows, schema))


def pack(blocks: Sequence[Block]) -> tuple[dict[str, NDArray[Any]], list[dict[str, Any]]]:
    """Return blocks as arrays, ``0.name`` for the first one's, and a list of JSON-safe fields."""
    arrays: dict[str, NDArray[Any]] = {}
    cards = []
    for i, block in enumerate(blocks):
        own, settings = block.to_arrays()
        arrays |= {f"{i}.{name}": array for name, array in own.items()}
        cards.append({"kind": type(block).__name__, "settings": settings})
    return arrays, cards


def unpack(arrays: Arrays, cards: Sequence[Mapping[str, Any]]) -> tuple[Block, ...]:
    """Rebuild what ``pack`` gave; only kinds that are installed are built, and no code comes with the arrays.

    Raises:
        BundleError: an unknown kind, or arrays are absent.

    """
    found = []
    for i, card in enumerate(cards):
        name = str(card.get("kind"))
        if name not in BLOCKS:
            raise BundleError(
                f"the bundle needs a block {name!r}", f"known are {', '.join(sorted(BLOCKS))}",
                "Update Temperance: pip install -U temperance",
            )  # fmt: skip
        own = {key.partition(".")[2]: array for key, array in arrays.items() if key.startswith(f"{i}.")}
        try:
            found.append(BLOCKS[name].from_arrays(own, card["settings"]))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BundleError(f"the block {name!r} is not complete: {error!r}", "what temperance writes") from error
    return tuple(found)


@dataclass(frozen=True)
class Blocks:
    """Fitted blocks as further numeric columns: for models that know numbers and categories only.

    Attributes:
        blocks: fitted on the training rows of the model.
        schema: of the rows that come in.

    """

    blocks: tuple[Block, ...]
    schema: Schema

    @cached_property
    def widened(self) -> Schema:
        """The schema with a numeric column per number of a block, behind the other numeric ones."""
        return widen(self.schema, self.blocks)

    def rows(self, rows: Rows) -> Rows:
        """Return the rows with the blocks' numbers behind the numeric ones."""
        return rows._replace(numeric=np.concatenate([rows.numeric, *(b.transform(rows) for b in self.blocks)], axis=1))

    def wide(self, rows: Rows) -> Any:
        """Return the wide numbers of all blocks side by side, (b, w); None where no block has any."""
        found = [one for one in (block.wide(rows) for block in self.blocks) if one is not None]
        if len(found) <= 1:
            return found[0] if found else None
        from scipy import sparse

        return sparse.hstack(found, format="csr")


def widen(schema: Schema, blocks: Sequence[Block]) -> Schema:
    """Return the schema with a numeric column per number of a block, behind the other numeric ones."""
    more = tuple(Column(name, "numeric") for block in blocks for name in block.names)
    rest = tuple(c for c in schema.columns if c.kind != "numeric")
    return replace(schema, columns=(*schema.numeric, *more, *rest))
