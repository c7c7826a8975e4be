"""An ordered set of named tensors (parameters, gradients, averages) with arithmetic for both executors.

Solo owns its tensors: there the methods that end in ``_`` work in place over fixed lists (``torch._foreach_*``).
Elsewhere they return new tensors. So always use what a method returns: ``params = params.mul_(0.99)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

Number = float | Tensor


class Leaves(Mapping[str, Tensor]):
    """Named tensors in a fixed order.

    Args:
        names: one name per tensor.
        tensors: the tensors.
        owned: methods with ``_`` may change the tensors in place.

    """

    __slots__ = ("_parts", "_position", "names", "owned", "tensors")

    def __init__(self, names: Iterable[str], tensors: Iterable[Tensor], *, owned: bool = False) -> None:
        self.names = tuple(names)
        self.tensors = list(tensors)
        self.owned = owned
        self._position: dict[str, int] | None = None
        self._parts: dict[Any, Leaves] = {}

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor], *, owned: bool = False) -> Leaves:
        """Build from a mapping."""
        return cls(tensors.keys(), tensors.values(), owned=owned)

    def __getitem__(self, name: str) -> Tensor:
        if self._position is None:
            self._position = {known: i for i, known in enumerate(self.names)}
        return self.tensors[self._position[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def part(self, names: tuple[str, ...]) -> Leaves:
        """Return the leaves of these names (the same tensors); remembered, so asking again is free."""
        if names == self.names:
            return self
        known = self._parts.get(names)
        if known is None:
            known = Leaves(names, [self[name] for name in names], owned=self.owned)
            self._parts[names] = known
        return known

    def like(self, tensors: Sequence[Tensor], *, owned: bool = False) -> Leaves:
        """Return other tensors under the same names.

        Shapes: one tensor per name, of any shape.
        """
        return Leaves(self.names, tensors, owned=owned)

    def clone(self, *, owned: bool | None = None) -> Leaves:
        """Return detached copies."""
        return self.like([t.detach().clone() for t in self.tensors], owned=self.owned if owned is None else owned)

    def detach(self) -> Leaves:
        """Return the same numbers without history."""
        return self.like([t.detach() for t in self.tensors], owned=self.owned)

    def map(self, function: Callable[[Tensor], Tensor]) -> Leaves:
        """Apply a function to each tensor."""
        return self.like([function(t) for t in self.tensors])

    def _put(self, part: Leaves, tensors: Sequence[Tensor]) -> Leaves:
        """Return these leaves with those of ``part`` replaced."""
        if part is self or part.names == self.names:
            return self.like(tensors)
        new = dict(zip(self.names, self.tensors, strict=True))
        new.update(zip(part.names, tensors, strict=True))
        return Leaves.of(new)

    def mul_(self, factor: Number | Sequence[Number], only: tuple[str, ...] | None = None) -> Leaves:
        """Multiply by one number, or by one per leaf (of ``only``)."""
        part = self if only is None else self.part(only)
        if self.owned:
            if part.tensors:
                with torch.no_grad():
                    torch._foreach_mul_(part.tensors, factor)  # type: ignore[arg-type]
            return self
        factors = factor if isinstance(factor, (list, tuple)) else [factor] * len(part)
        return self._put(part, [t * f for t, f in zip(part.tensors, factors, strict=True)])

    def add(self, other: Leaves, scale: Number = 1.0) -> Leaves:
        """Return self + scale·other as new tensors, without history."""
        if self.owned:
            with torch.no_grad():
                if isinstance(scale, Tensor):
                    moved = torch._foreach_mul(other.tensors, scale)
                    torch._foreach_add_(moved, self.tensors)  # one copy of the leaves, not two
                    return self.like(moved)
                return self.like(torch._foreach_add(self.tensors, other.tensors, alpha=scale))
        return self.like([a + scale * b for a, b in zip(self.tensors, other.tensors, strict=True)])

    def add_(self, other: Leaves, scale: Number = 1.0, only: tuple[str, ...] | None = None) -> Leaves:
        """Add scale·other (``other`` has the leaves of ``only``)."""
        part = self if only is None else self.part(only)
        if self.owned:
            with torch.no_grad():
                if isinstance(scale, Tensor):
                    torch._foreach_add_(part.tensors, torch._foreach_mul(other.tensors, scale))
                else:
                    torch._foreach_add_(part.tensors, other.tensors, alpha=scale)
            return self
        return self._put(part, [a + scale * b for a, b in zip(part.tensors, other.tensors, strict=True)])

    def times(self, other: Leaves | Sequence[Tensor]) -> Leaves:
        """Return the products leaf by leaf as new tensors, without history.

        Shapes: leaf by leaf the same shape.
        """
        tensors = other.tensors if isinstance(other, Leaves) else list(other)
        if self.owned:
            with torch.no_grad():
                return self.like(torch._foreach_mul(self.tensors, tensors), owned=True)
        return self.like([a * b for a, b in zip(self.tensors, tensors, strict=True)])

    def dot(self, other: Leaves) -> Tensor:
        """Return Σ aᵢ bᵢ over all leaves, ()."""
        products = self.times(other).tensors
        return torch.stack([t.sum() for t in products]).sum()

    def lerp(self, other: Leaves, weight: float) -> Leaves:
        """Return self + weight·(other − self) as new tensors, without history."""
        if self.owned:
            with torch.no_grad():
                return self.like(torch._foreach_lerp(self.tensors, other.tensors, weight), owned=True)
        return self.like([torch.lerp(a, b, weight) for a, b in zip(self.tensors, other.tensors, strict=True)])

    def lerp_(self, other: Leaves, weight: Number) -> Leaves:
        """Move towards ``other``: self + weight·(other − self)."""
        if self.owned:
            with torch.no_grad():
                if isinstance(weight, Tensor):
                    weight = float(weight)
                torch._foreach_lerp_(self.tensors, other.tensors, weight)
            return self
        pairs = zip(self.tensors, other.tensors, strict=True)
        if not isinstance(weight, Tensor):  # a tensor made of it here would have single precision
            return self.like([torch.lerp(a, b, weight) for a, b in pairs])
        return self.like([torch.lerp(a, b, weight.to(a.device, a.dtype)) for a, b in pairs])

    def copy_(self, other: Leaves, only: tuple[str, ...] | None = None) -> Leaves:
        """Take the numbers of ``other``."""
        part = self if only is None else self.part(only)
        if self.owned:
            with torch.no_grad():
                torch._foreach_copy_(part.tensors, other.tensors)
            return self
        return self._put(part, other.tensors)

    def norm(self) -> Tensor:
        """Return the Euclidean norm over all leaves, ()."""
        if self.owned:
            with torch.no_grad():
                return torch.linalg.vector_norm(torch.stack(torch._foreach_norm(self.tensors)))  # type: ignore[no-any-return]
        return torch.sqrt(sum((torch.sum(t * t.conj()).real for t in self.tensors), torch.zeros(())))
