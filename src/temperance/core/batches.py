"""Reads what loaders yield into batches: tuples, torch's own lists, dicts, named tuples, dataclasses, micro-batches.

Nothing is guessed: what could be read in two ways is refused, with the line to write.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from temperance.core.batch import Batch
from temperance.core.convention import UNKNOWN, Convention
from temperance.core.nest import described, fields_of, is_sequence, leaves, rows
from temperance.core.wrappers import bare
from temperance.records.errors import SettingError

TARGETS = ("labels", "label", "targets", "target", "y")
_WEIGHTS = ("weight", "weights", "sample_weight")
_ACCEPTED = (
    "a batch is Batch(inputs, targets), (inputs, targets), or a dict, named tuple or dataclass with one of "
    f"{', '.join(TARGETS)} beside the inputs"
)
_WRITE = "Wrap it, session.step(Batch(inputs=x, targets=y)), or say it once: attach(..., collate=lambda raw: Batch(…))"


class Reader:
    """Turns what a loader yields into a ``Batch``, or a list of micro-batches.

    Args:
        model: its ``forward`` tells which names of a dict it takes; None: not known.
        collate: the user's own ``raw → Batch`` (or a list of micro-batches), asked first.
        convention: how the loss reads targets; written into every batch.
        needs_targets: a dict without any is refused; False where the model computes its loss itself.

    """

    def __init__(
        self,
        model: nn.Module | None = None,
        *,
        collate: Callable[[Any], Any] | None = None,
        convention: Convention = UNKNOWN,
        needs_targets: bool = True,
    ) -> None:
        self.collate, self.convention, self.needs_targets = collate, convention, needs_targets
        self.takes = None if model is None else Signature(bare(model))

    def one(self, value: Any) -> Batch:
        """Return the batch.

        Raises:
            SettingError: the value is no batch, holds no rows, or can be read in two ways.

        """
        if type(value) is tuple and len(value) == 2 and self.collate is None:  # the usual case, in one look
            inputs, targets = value
            if isinstance(inputs, Tensor) and isinstance(targets, Tensor) and inputs.dim() and inputs.shape[0]:
                return Batch(inputs, targets, None, None, self.convention)
        if type(value) is Batch and self._is_usual(value):
            if value.convention is not UNKNOWN or self.convention is UNKNOWN:
                return value
            return Batch(value[0], value[1], value[2], value[3], self.convention)
        if self.collate is not None and not isinstance(value, Batch):
            given = self.collate(value)
            if not isinstance(given, Batch):
                raise SettingError(
                    f"collate returned {described(given)}", "collate turns what the loader yields into a Batch",
                    "Return Batch(inputs=…, targets=…)",
                )  # fmt: skip
            value = given
        return self._checked(self._read(value))

    def micros(self, value: Any) -> list[Batch]:
        """Return the micro-batches of a list of them, else the one batch.

        A list holds micro-batches only where each of its parts is a whole batch by itself and all are alike: torch's
        own collate makes ``[[a, b], y]`` of rows ``((a, b), y)``, and that is one batch.

        Raises:
            SettingError: a part that cannot be read, or parts of several kinds.

        """
        if type(value) is not list or not value or isinstance(value[0], Tensor):
            return [self.one(value)]
        if any(isinstance(part, Batch) for part in value):
            return [self.one(part) for part in value]
        if self.collate is not None:
            given = self.collate(value)
            if isinstance(given, list) and given and all(isinstance(part, Batch) for part in given):
                return [self._checked(part) for part in given]
            if isinstance(given, Batch):
                return [self._checked(given)]
            raise SettingError(
                f"collate returned {described(given)}", "collate returns a Batch or a list of them (micro-batches)",
                "Return Batch(inputs=…, targets=…)",
            )  # fmt: skip
        if self._are_micros(value):
            return [self.one(part) for part in value]
        return [self.one(value)]

    @staticmethod
    def _is_usual(value: Batch) -> bool:
        """Return whether a batch is two tensors with rows, and weights and row numbers fit."""
        inputs, targets, weight, index = value[:4]
        if not (isinstance(inputs, Tensor) and isinstance(targets, Tensor) and inputs.dim() and inputs.shape[0]):
            return False
        count = inputs.shape[:1]
        fits = weight is None or (isinstance(weight, Tensor) and weight.shape[:1] == count)
        return fits and (index is None or (isinstance(index, Tensor) and index.shape[:1] == count))

    # -- one batch --------------------------------------------------------------------------------------------------

    def _read(self, value: Any) -> Batch:
        if isinstance(value, Batch):
            return value
        if isinstance(value, (Tensor, PackedSequence)):
            raise SettingError(f"a batch of type {type(value).__name__} was given", _ACCEPTED, _WRITE)
        named = fields_of(value)
        if named is not None:
            return self._named(value, named)
        if is_sequence(value) and len(value) == 2:
            return Batch(value[0], value[1])
        if is_sequence(value) and len(value) in (3, 4):
            raise SettingError(
                f"a batch of {len(value)} parts by position was given: {described(value)}",
                "after inputs and targets nothing is read by position: a third part may be weights, row numbers or "
                "an input",
                "Say what it is: Batch(x, y, weight=w) or Batch(x, y, index=i), or once for all "
                "attach(..., collate=lambda raw: Batch(raw[0], raw[1], index=raw[2]))",
            )
        raise SettingError(f"a batch of type {type(value).__name__} was given: {described(value)}", _ACCEPTED, _WRITE)

    def _named(self, value: Any, named: dict[Any, Any]) -> Batch:
        kind = type(value).__name__
        rest = dict(named)
        found = [name for name in TARGETS if name in rest and rest[name] is not None]
        if len(found) > 1:
            raise SettingError(
                f"a batch ({kind}) has {' and '.join(map(repr, found))}, and each may be the targets",
                "one of them",
                f"Say which: attach(..., collate=lambda raw: Batch(inputs=…, targets=raw[{found[0]!r}]))",
            )
        if not found and self.needs_targets and not any(name in rest for name in TARGETS):
            raise SettingError(
                f"a batch ({kind}) has {', '.join(map(repr, rest)) or 'nothing'}, and none of them is known as targets",
                f"the targets are named {', '.join(TARGETS)}; all other parts are inputs",
                f"Say it once: attach(..., collate=lambda raw: Batch(inputs=…, targets=…)) with parts of the {kind}",
            )
        targets = rest.pop(found[0]) if found else None
        for name in TARGETS:
            rest.pop(name, None)  # what is left of these is None
        weight = self._taken(rest, _WEIGHTS)
        index = self._taken(rest, ("index",))
        if not rest:
            raise SettingError(f"a batch ({kind}) has {', '.join(map(repr, named))}, and no inputs", _ACCEPTED, _WRITE)
        return Batch(self._inputs(kind, rest), targets, weight, index)

    def _taken(self, rest: dict[Any, Any], names: tuple[str, ...]) -> Any:
        """Take a field of the batch out, where the model has no argument of that name."""
        here = [name for name in names if name in rest and not (self.takes and name in self.takes.names)]
        return rest.pop(here[0]) if len(here) == 1 else None

    def _inputs(self, kind: str, rest: dict[Any, Any]) -> Any:
        if len(rest) == 1:
            (name, only) = next(iter(rest.items()))
            if name == "inputs" or (self.takes is not None and not self.takes.accepts(name)):
                return only  # the model's one argument has another name
        if not all(isinstance(name, str) for name in rest):
            raise SettingError(
                f"a batch ({kind}) has the keys {', '.join(map(repr, rest))}", "inputs are named by strings", _WRITE
            )
        if self.takes is not None:
            strange = [name for name in rest if not self.takes.accepts(name)]
            if strange:
                raise SettingError(
                    f"a batch ({kind}) has {', '.join(map(repr, strange))}, which the model's forward does not take",
                    f"it takes {', '.join(self.takes.names) or 'no names'}",
                    "Drop them in the loader, or say what is what: attach(..., collate=lambda raw: Batch(inputs=…, "
                    "targets=…))",
                )
        return rest

    def _checked(self, batch: Batch) -> Batch:
        """Return the batch with plain dicts for mappings and the convention of the loss, or refuse it."""
        inputs, targets = _plain(batch.inputs), _plain(batch.targets)
        _require_tensors(inputs, "inputs")
        if targets is not None:
            _require_tensors(targets, "targets")
        count = rows(inputs)
        if count == 0:
            raise SettingError(
                "a batch without rows was given",
                "a batch has one row at least",
                "Leave empty batches out of the loader",
            )
        for name, part in (("weight", batch.weight), ("index", batch.index)):
            if part is not None and (not isinstance(part, Tensor) or part.dim() < 1 or part.shape[0] != count):
                raise SettingError(
                    f"a batch of {count} rows has {name} {described(part)}",
                    f"{name} is a tensor with one number per row, ({count},)",
                    f"Give Batch(x, y, {name}=torch.as_tensor(…))",
                )
        convention = batch.convention if batch.convention is not UNKNOWN else self.convention
        return Batch(inputs, targets, batch.weight, batch.index, convention)

    # -- micro-batches ------------------------------------------------------------------------------------------------

    def _are_micros(self, parts: list[Any]) -> bool:
        if not all(_is_whole(part) for part in parts):
            return False
        if len({_looks(part) for part in parts}) > 1:
            return False
        if len(parts) == 1 or len(parts) > 2 or not all(is_sequence(part) for part in parts):
            return True
        return self._second_reading(parts)

    def _second_reading(self, parts: list[Any]) -> bool:
        """Tell two pairs that are micro-batches from ``(two inputs, two targets)`` by what the model takes."""
        inner = parts[0][0]
        alone = len(inner) if is_sequence(inner) else 1
        if self.takes is not None:
            as_micros, as_one = self.takes.fits(alone), self.takes.fits(2)
            if as_micros != as_one:
                return as_micros
        if _looks(parts[0][0]) == _looks(parts[0][1]):
            raise SettingError(
                "a list of two pairs of tensors that all look alike was given",
                "it may be two micro-batches, or one batch of two inputs and two targets",
                "Give micro-batches as [Batch(x, y), Batch(x, y)], or one batch as Batch((a, b), (c, d))",
            )
        return True


class Signature:
    """What a model's ``forward`` takes.

    Args:
        model: the module without wrappers.

    """

    def __init__(self, model: nn.Module) -> None:
        self.names: tuple[str, ...] = ()
        self.takes_any, self.least, self.most = True, 0, 1 << 30
        try:
            given = inspect.signature(model.forward).parameters.values()
        except (ValueError, TypeError):  # a forward without a signature in Python takes what it takes
            return
        kinds = inspect.Parameter
        by_position = [p for p in given if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)]
        self.names = tuple(p.name for p in given if p.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY))
        self.takes_any = any(p.kind is kinds.VAR_KEYWORD for p in given)
        self.least = sum(p.default is kinds.empty for p in by_position)
        self.most = 1 << 30 if any(p.kind is kinds.VAR_POSITIONAL for p in given) else len(by_position)

    def accepts(self, name: Any) -> bool:
        """Return whether an argument of this name is taken."""
        return self.takes_any or name in self.names

    def fits(self, count: int) -> bool:
        """Return whether so many arguments by position are taken."""
        return self.least <= count <= self.most


def _is_whole(value: Any) -> bool:
    """Return whether a value is a batch by itself: inputs with tensors, and targets."""
    if isinstance(value, Batch):
        return True
    named = fields_of(value)
    if named is not None:
        return any(n in named for n in TARGETS) and any(n not in (*TARGETS, *_WEIGHTS, "index") for n in named)
    if not is_sequence(value) or len(value) != 2:
        return False
    return _holds_tensor(value[0]) and (value[1] is None or _holds_tensor(value[1]))


def _holds_tensor(nest: Any) -> bool:
    return any(isinstance(leaf, (Tensor, PackedSequence)) for leaf in leaves(nest))


def _looks(nest: Any) -> Any:
    """Return names, kinds and axes of a nest; micro-batches of one loader have the same."""
    if isinstance(nest, Tensor):
        return (nest.dtype, nest.dim())
    if isinstance(nest, PackedSequence):
        return ("packed", nest.data.dtype, nest.data.dim())
    named = fields_of(nest)
    if named is not None:
        return tuple((name, _looks(part)) for name, part in named.items())
    return tuple(_looks(part) for part in nest) if is_sequence(nest) else type(nest)


def _plain(nest: Any) -> Any:
    """Return a nest with plain dicts for all mappings (``BatchEncoding``, ``UserDict``)."""
    if isinstance(nest, Batch):
        raise SettingError(
            "a Batch stands inside a batch",
            "micro-batches are a list: [Batch(…), Batch(…)]",
            "Give a list, not a tuple",
        )
    if isinstance(nest, Mapping):
        return {name: _plain(part) for name, part in nest.items()}
    if is_sequence(nest):
        return type(nest)(_plain(part) for part in nest)
    return nest


def _require_tensors(nest: Any, what: str) -> None:
    found = False
    for leaf in leaves(nest):
        if isinstance(leaf, (np.ndarray, np.generic)):
            raise SettingError(
                f"the {what} of a batch hold {type(leaf).__name__}", "tensors", "Convert them: torch.as_tensor(x)"
            )
        if isinstance(leaf, Tensor) and not leaf.dim() and what == "inputs" and not found:
            raise SettingError(
                f"the {what} of a batch are one number", "tensors with an axis of rows, (b, …)", "Add it: x[None]"
            )
        found = found or isinstance(leaf, (Tensor, PackedSequence))
    if not found:
        raise SettingError(f"the {what} of a batch are {described(nest)}, without a tensor", _ACCEPTED, _WRITE)
