"""What mistakes cost the user, and how probabilities become an answer under these costs."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from temperance.records.errors import SettingError, nearest

FORM = "TRUE->ANSWERED=COST, e.g. 'yes->no=10,no->yes=1'"
ANY = "*"  # any other class
_ARROW = re.compile(r"\s*->\s*")
_PAIR = re.compile(r"\s*(?P<truth>.+?)\s*->\s*(?P<answer>.+?)\s*=\s*(?P<cost>[-+.\w]+)\s*(?:,|$)", re.DOTALL)


class Price(NamedTuple):
    """What it costs to answer ``answer`` where ``truth`` is true; ``*`` stands for any other class."""

    truth: str
    answer: str
    cost: float


def parse_costs(text: str) -> tuple[Price, ...]:
    """Read ``yes->no=10,no->yes=1``: what is true, what is answered, what that costs.

    Raises:
        SettingError: it is not of this form, or a cost is not a number.

    """
    found, place = [], 0
    while place < len(text):
        one = _PAIR.match(text, place)
        if one is None:
            raise SettingError(f"costs {text!r}", FORM, "Write each mistake as TRUE->ANSWERED=COST")
        found.append(Price(one["truth"], one["answer"], _number(one["cost"], text)))
        place = one.end()
    if not found:
        raise SettingError("costs that name no mistake", FORM, "Name at least one mistake, or leave the costs out")
    return tuple(found)


def _number(text: str, whole: Any) -> float:
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise SettingError(f"the cost {text!r} in {whole!r}", "a finite number", f"Write {FORM}")
    return value


def most_probable(probabilities: NDArray[Any]) -> NDArray[np.int64]:
    """Return the most probable class of each row, the first among equals.

    Shapes: (b, c) → (b,).
    """
    best: NDArray[np.int64] = np.argmax(probabilities, axis=1).astype(np.int64)
    return best


def middle(probabilities: NDArray[Any]) -> NDArray[np.int64]:
    """Return the middle level of each row, the first with P(y ≤ level) ≥ ½: least expected distance in levels.

    Shapes: (b, c) → (b,), the classes in their order.
    """
    reached = np.cumsum(probabilities, axis=1) >= 0.5 - 1e-9
    best: NDArray[np.int64] = np.argmax(reached, axis=1).astype(np.int64)
    return best


@dataclass(frozen=True)
class Costs:
    """``matrix[i][j]`` is what answering class j costs where class i is true; a gain is below 0.

    Raises:
        SettingError: a wrong size, a number that is not finite, a mistake that is cheaper than the right answer, or
            nothing that costs more than the right answer.

    """

    classes: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        c, rows = len(self.classes), np.asarray(self.matrix, dtype=np.float64)
        if rows.shape != (c, c) or not np.isfinite(rows).all():
            raise SettingError(f"costs of shape {rows.shape}", f"finite numbers of shape {(c, c)}", f"Or write {FORM}")
        right = np.diag(rows)[:, None]
        if (rows < right).any():
            i, j = np.argwhere(rows < right)[0]
            raise SettingError(
                f"costs under which {self.classes[j]!r} is a cheaper answer than the right one, {self.classes[i]!r}",
                "a right answer that costs no more than a wrong one", "Raise that cost, or swap the two names",
            )  # fmt: skip
        if (rows == right).all():
            raise SettingError("costs of mistakes that are all 0", "at least one that costs something", "Raise one")

    @classmethod
    def of(cls, prices: Iterable[Sequence[Any]], classes: tuple[str, ...]) -> Costs:
        """Fill the matrix: 0 for a right answer, 1 for a mistake that is not named.

        Args:
            prices: (truth, answer, cost) each; a later one goes before an earlier one, a named one before ``*``.
            classes: labels in the order of the outputs.

        Raises:
            SettingError: an unknown class, or costs that make no sense.

        """
        full = 1.0 - np.eye(len(classes))
        told = [Price(*named(str(a), str(b), classes), _number(c, f"{a}->{b}")) for a, b, c in prices]
        for truth, answer, cost in sorted(told, key=lambda one: -(one.truth == ANY) - (one.answer == ANY)):
            rows, columns = _places(truth, classes), _places(answer, classes)
            for i in rows:
                for j in columns:
                    if i != j or ANY not in (truth, answer):
                        full[i, j] = cost
        return cls(classes, tuple(tuple(row) for row in full.tolist()))

    @property
    def prices(self) -> tuple[Price, ...]:
        """Every entry that is not 0, as ``of`` takes them."""
        names = self.classes
        return tuple(
            Price(names[i], names[j], cost)
            for i, row in enumerate(self.matrix)
            for j, cost in enumerate(row)
            if cost or i != j
        )

    @cached_property
    def array(self) -> NDArray[np.float64]:
        """The matrix (c, c)."""
        return np.asarray(self.matrix, dtype=np.float64)

    def of_rows(self, truth: NDArray[Any], answer: NDArray[Any]) -> NDArray[np.float64]:
        """Return what each answer costs, (b,).

        Shapes: truth and answer (b,) class codes.
        """
        found: NDArray[np.float64] = self.array[truth, answer]
        return found


def named(truth: str, answer: str, classes: Collection[str]) -> tuple[str, str]:
    """Return the two names, cut at another arrow where these are no classes: a name may hold an arrow itself."""
    if {truth, answer} <= {*classes, ANY}:
        return truth, answer
    known = {_ARROW.sub("->", name): name for name in (*classes, ANY)}
    parts = _ARROW.sub("->", f"{truth}->{answer}").split("->")
    cuts = (("->".join(parts[:k]), "->".join(parts[k:])) for k in range(1, len(parts)))
    return next(((known[a], known[b]) for a, b in cuts if a in known and b in known), (truth, answer))


def _places(name: str, classes: tuple[str, ...]) -> list[int]:
    if name in classes:
        return [classes.index(name)]
    if name == ANY:
        return list(range(len(classes)))
    known = ", ".join(classes[:8]) + (" …" if len(classes) > 8 else "")
    raise SettingError(f"costs for the class {name!r}", f"the classes are {known}", nearest(name, classes) or FORM)


@dataclass(frozen=True)
class Decision:
    """How probabilities become an answer: the class of the least expected cost; of two classes, by a threshold.

        answer = argminⱼ Σᵢ pᵢ · cost[i][j];   of two classes: the second one where p₂ ≥ threshold

    Under exact probabilities the threshold of least expected cost is (c₁₂ − c₁₁) / (c₁₂ − c₁₁ + c₂₁ − c₂₂).

    Attributes:
        costs: what mistakes cost.
        threshold: least probability of the second of two classes at which it is answered; None: as the costs say.
        n: held-out rows that the threshold was chosen on; 0 where the costs alone decide.

    References:
        Elkan (2001), The Foundations of Cost-Sensitive Learning, equation 2.

    """

    costs: Costs
    threshold: float | None = None
    n: int = 0

    @property
    def stated(self) -> float | None:
        """The threshold that the costs alone give, of two classes; None for more."""
        if len(self.costs.classes) != 2:
            return None
        (a, b), (c, d) = self.costs.matrix
        return (b - a) / (b - a + c - d)

    @property
    def limit(self) -> float | None:
        """The threshold in use, of two classes; None for more."""
        return self.stated if self.threshold is None else self.threshold

    def answers(self, probabilities: NDArray[Any]) -> NDArray[np.int64]:
        """Return the class answered for each row.

        Shapes: (b, c) → (b,).
        """
        limit = self.limit
        if limit is not None:
            return (np.asarray(probabilities)[:, 1] >= limit).astype(np.int64)
        best: NDArray[np.int64] = np.argmin(probabilities @ self.costs.array, axis=1).astype(np.int64)
        return best

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {
            "classes": list(self.costs.classes), "costs": [list(row) for row in self.costs.matrix],
            "threshold": self.threshold, "stated_threshold": self.stated, "n": self.n,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Decision:
        """Rebuild from ``to_dict``."""
        costs = Costs(tuple(map(str, row["classes"])), tuple(tuple(map(float, one)) for one in row["costs"]))
        threshold = row.get("threshold")
        return cls(costs, None if threshold is None else float(threshold), int(row.get("n", 0)))
