"""What happens where two techniques meet: rules as data on each technique, applied by ``Recipe``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from temperance.records.errors import RecipeError


@dataclass(frozen=True)
class Rule:
    """A rule of the technique that holds it, about another one in the same recipe.

    Attributes:
        meets: class name of the other technique, or one of its ``roles``, e.g. ``averages``.
        verdict: ``refuse``: the recipe cannot be built; ``warn``: it can, and ``explain`` says so; ``order``: the order
            of the two matters, the recipe sets it, and ``explain`` says which and why.
        why: plain clause, no full stop.
        remedy: what to do instead.

    """

    meets: str
    verdict: Literal["refuse", "warn", "order"]
    why: str
    remedy: str


class Ruled(Protocol):
    """What rules need to know of a technique: which rules it holds, what it does, whether it may stand twice."""

    rules: ClassVar[tuple[Rule, ...]]
    roles: ClassVar[tuple[str, ...]]
    unique: ClassVar[bool]


@dataclass(frozen=True)
class Meeting:
    """A rule that applies to two techniques of a recipe, by their class names."""

    first: str
    second: str
    rule: Rule

    def __str__(self) -> str:
        return f"{self.first} with {self.second}: {self.rule.why}. {self.rule.remedy}."


def meetings(parts: Sequence[Ruled]) -> list[Meeting]:
    """Return the rules that apply among ``parts``, each pair and reason once."""
    found: dict[tuple[frozenset[int], str], Meeting] = {}
    for i, one in enumerate(parts):
        for j, other in enumerate(parts):
            for rule in one.rules if i != j else ():
                if rule.meets == type(other).__name__ or rule.meets in other.roles:
                    pair = (frozenset((i, j)), rule.verdict)
                    found.setdefault(pair, Meeting(type(one).__name__, type(other).__name__, rule))
    return list(found.values())


def refuse(parts: Sequence[Ruled]) -> None:
    """Raise where techniques exclude each other, or one that may stand once stands twice.

    Raises:
        RecipeError: names both techniques and what to do.

    """
    for i, one in enumerate(parts):
        name = type(one).__name__
        if one.unique and any(type(other) is type(one) for other in parts[:i]):
            raise RecipeError(f"{name} stands twice in the recipe", "it may stand once", "Remove one of them")
    for meeting in meetings(parts):
        if meeting.rule.verdict == "refuse":
            raise RecipeError(
                f"{meeting.first} and {meeting.second} cannot stand in one recipe",
                meeting.rule.why,
                meeting.rule.remedy,
            )
