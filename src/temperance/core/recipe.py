"""A recipe: a set of regularizers and a controller, as a value."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any

from temperance.control.base import Controller, Specs
from temperance.control.constant import Constant
from temperance.core import presets, rules
from temperance.core.regularizer import Regularizer
from temperance.core.toml import dumps
from temperance.records.citation import Citation
from temperance.records.errors import SettingError
from temperance.records.names import snake

if TYPE_CHECKING:
    from torch import nn

    from temperance.core.session import Session

_SAME: Any = object()
_STAGE_ORDER = {"rewire": 0, "objective": 1, "gradient": 2, "update": 3, "served": 4}


class Recipe:
    """A set of regularizers and a controller; a value: ``==``, ``hash``, evaluable ``repr``, dict and TOML.

    It sorts itself (stage, rank, name), so the order in which ingredients are typed does not matter; two of the same
    class keep their order and are addressed ``dropout.p`` and ``dropout_2.p``.

    Args:
        *ingredients: regularizers; two that exclude each other (two averages, say) raise ``RecipeError``.
        controller: what moves the strengths; a list is chained; None holds them.

    Example:
        >>> from temperance import Dropout, EMA, GapFeedback, Recipe, WeightDecay
        >>> recipe = Recipe(EMA(), Dropout(0.1), WeightDecay(1e-4), controller=GapFeedback())
        >>> recipe == eval(repr(recipe)) == Recipe.from_toml(recipe.to_toml())
        True

    """

    def __init__(self, *ingredients: Regularizer, controller: Controller | Iterable[Controller] | None = None) -> None:
        for one in ingredients:
            if not isinstance(one, Regularizer):
                raise SettingError(
                    f"a recipe got {one!r} of type {type(one).__name__}",
                    "ingredients are regularizers, e.g. Dropout(0.1)",
                    "Give controllers as controller=…; list techniques with `temperance techniques`",
                )
        self.regularizers: tuple[Regularizer, ...] = tuple(sorted(ingredients, key=_place))
        self.controller: Controller = _one(controller)
        rules.refuse(self.regularizers)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about ingredients that work together badly or do the same thing twice."""
        return tuple(str(one) for one in rules.meetings(self.regularizers) if one.rule.verdict == "warn")

    @property
    def orders(self) -> tuple[str, ...]:
        """Sentences about ingredients whose order matters, and why the recipe set it so."""
        return tuple(str(one) for one in rules.meetings(self.regularizers) if one.rule.verdict == "order")

    @cached_property
    def by_address(self) -> dict[str, Regularizer]:
        """Regularizers by address: ``dropout``, ``dropout_2`` …"""
        found: dict[str, Regularizer] = {}
        for one in self.regularizers:
            base, address, count = snake(type(one).__name__), snake(type(one).__name__), 1
            while address in found:
                count += 1
                address = f"{base}_{count}"
            found[address] = one
        return found

    @cached_property
    def specs(self) -> Specs:
        """Declared strengths by address, ``dropout.p`` …"""
        return {
            f"{address}.{name}": spec
            for address, one in self.by_address.items()
            for name, spec in one.strengths.items()
        }

    @property
    def is_adaptive(self) -> bool:
        """Whether the controller moves anything."""
        return not isinstance(self.controller, Constant)

    # -- use ----------------------------------------------------------------------------------------------------

    def attach(self, model: nn.Module, optimizer: Any, **settings: Any) -> Session:
        """Attach to a model and a ``torch.optim`` optimizer; see ``Session`` for the settings."""
        # The one import upwards in the package: a session knows its recipe, and users begin at the recipe.
        from temperance.core.session import Session

        for name in ("epochs", "steps_per_epoch", "steps", "seed"):
            _require_number(name, settings.get(name))
        return Session(self, model, optimizer, **settings)

    # -- by name --------------------------------------------------------------------------------------------------

    @classmethod
    def preset(cls, name: str, **settings: Any) -> Recipe:
        """Return the recipe of this name; change it with ``replace`` and ``+``.

        Args:
            name: one of ``Recipe.presets()``.
            **settings: what that preset asks for, e.g. ``new="classifier*"``, the parameters that are not pretrained.

        Raises:
            SettingError: no such preset, a setting it asks for is missing, or one it does not know.

        Example:
            >>> Recipe.preset("finetune", new="classifier*").replace(LayerwiseRateDecay(0.8))  # doctest: +SKIP

        """
        return cls.from_dict(presets.preset(name).fill(settings))

    @staticmethod
    def presets() -> tuple[str, ...]:
        """Return the names of the presets; ``docs/presets.md`` says what each holds, and what it did."""
        return presets.names()

    # -- from other recipes -------------------------------------------------------------------------------------

    def __add__(self, other: Recipe | Regularizer | Controller) -> Recipe:
        """Return a recipe with the ingredients of both; two different controllers are chained, the first first."""
        if isinstance(other, Regularizer):
            return Recipe(*self.regularizers, other, controller=self.controller)
        if isinstance(other, Controller):
            return self + Recipe(controller=other)
        if not isinstance(other, Recipe):
            return NotImplemented
        both = [one.controller for one in (self, other) if one.is_adaptive]
        controller = both[:1] if len(both) == 2 and both[0] == both[1] else both
        return Recipe(
            *self.regularizers,
            *other.regularizers,
            controller=controller[0] if len(controller) == 1 else controller or None,
        )

    def replace(
        self, *ingredients: Regularizer, controller: Controller | Iterable[Controller] | None = _SAME
    ) -> Recipe:
        """Return a recipe in which each ingredient stands for the one of its class; what is not named stays.

        Args:
            *ingredients: regularizers, each of a class that stands in the recipe once.
            controller: another one; None holds the strengths.

        Raises:
            SettingError: the recipe has none, or several, of that class.

        """
        parts = list(self.regularizers)
        for one in ingredients:
            places = [i for i, old in enumerate(parts) if type(old) is type(one)]
            if len(places) != 1:
                raise SettingError(
                    f"replace got {one!r}, and {len(places)} ingredients of the recipe are {type(one).__name__}",
                    f"it stands for the one of its class among {', '.join(self.by_address) or 'none'}",
                    "Add it with recipe + …, or write the recipe anew",
                )
            parts[places[0]] = one
        return Recipe(*parts, controller=self.controller if controller is _SAME else controller)

    # -- as a value ---------------------------------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Recipe):
            return NotImplemented
        return self.regularizers == other.regularizers and self.controller == other.controller

    def __hash__(self) -> int:
        return hash((self.regularizers, self.controller))

    def __bool__(self) -> bool:
        return True  # a recipe without techniques is still a recipe

    def __len__(self) -> int:
        return len(self.regularizers)

    def __repr__(self) -> str:
        parts = [repr(one) for one in self.regularizers]
        if self.is_adaptive:
            parts.append(f"controller={self.controller!r}")
        return f"Recipe({', '.join(parts)})"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON- and TOML-safe fields."""
        row: dict[str, Any] = {"regularizers": [one.to_dict() for one in self.regularizers]}
        if self.is_adaptive:
            row["controller"] = self.controller.to_dict()
        return row

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Recipe:
        """Rebuild from ``to_dict``."""
        controller = row.get("controller")
        return cls(
            *(Regularizer.from_dict(one) for one in row.get("regularizers", ())),
            controller=Controller.from_dict(controller) if controller else None,
        )

    def to_toml(self) -> str:
        """Return the recipe as TOML."""
        return dumps(self.to_dict())

    @classmethod
    def from_toml(cls, text: str) -> Recipe:
        """Rebuild from ``to_toml`` or a file written by hand.

        Raises:
            SettingError: the text is no TOML, or names an unknown technique or setting.

        """
        try:
            return cls.from_dict(tomllib.loads(text))
        except tomllib.TOMLDecodeError as fault:
            raise SettingError(
                f"the recipe is not valid TOML: {fault}", "see `Recipe.to_toml`", "Mend that line"
            ) from fault

    def citations(self) -> tuple[Citation, ...]:
        """Return the sources of exactly the techniques used."""
        return tuple(sorted({source for one in self.regularizers for source in one.citations}))

    def explain(self) -> str:
        """Return what the recipe does, a line per ingredient, in the order in which they act."""
        if not self.regularizers:
            return "No regularization: the plain model."
        lines = [f"{i}. {one.explain()}" for i, one in enumerate(self.regularizers, 1)]
        lines.append(f"Controller: {self.controller!r}." if self.is_adaptive else "The strengths stay as they are.")
        lines += [f"Order: {order}" for order in self.orders]
        lines += [f"Note: {warning}" for warning in self.warnings]
        return "\n".join(lines)


def require_recipe(given: object, owner: str) -> None:
    """Raise unless ``given`` is a recipe; a single technique is the usual slip.

    Raises:
        SettingError: it is something else.

    """
    if not isinstance(given, Recipe):
        raise SettingError(
            f"{owner} got recipe={given!r} of type {type(given).__name__}",
            "a Recipe, e.g. Recipe(Dropout(0.1))",
            "Put techniques into Recipe(…)",
        )


def _require_number(name: str, value: object) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, Real)):
        raise SettingError(
            f"attach got {name}={value!r} of type {type(value).__name__}", "a number", f"Give {name}=10, say"
        )


def _place(one: Regularizer) -> tuple[int, int, str]:
    stages = one.stages()
    return (_STAGE_ORDER[stages[0]] if stages else 9, int(one.rank), type(one).__name__)


def _one(controller: Controller | Iterable[Controller] | None) -> Controller:
    if controller is None:
        return Constant()
    if isinstance(controller, Controller):
        return controller
    from temperance.control.chain import Chain

    if isinstance(controller, type) or not isinstance(controller, Iterable):
        name = controller.__name__ if isinstance(controller, type) else "GapFeedback"
        raise SettingError(
            f"a recipe got controller={controller!r}", "a controller, or a list of them", f"Write controller={name}()"
        )
    return Chain(tuple(controller))
