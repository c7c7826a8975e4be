"""The model in use: its bundle, the recipe it was made by, and how it reads the rows of a newer table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.deployment import Bundle, load
from temperance.deployment.manifest import read_json
from temperance.records.decision import Decision
from temperance.records.errors import BundleError, StudyError, TemperanceError
from temperance.records.schema import UNSEEN, Rows, Schema
from temperance.study.spec import TrialSpec


@dataclass(frozen=True, eq=False)
class Champion:
    """A loaded bundle with its recipe.

    Attributes:
        bundle: the bundle.
        recipe: the contents of ``recipe.json``.
        members: (weight, trial) for each model that the bundle holds.

    """

    bundle: Bundle
    recipe: dict[str, Any]
    members: tuple[tuple[float, TrialSpec], ...]

    @property
    def metric(self) -> str:
        """The metric that chose the model."""
        return str(self.recipe["metric"])

    @property
    def data(self) -> str:
        """SHA-256 of the data that it was made from, or empty."""
        return str(self.bundle.card.get("details", {}).get("data", ""))

    @property
    def weight(self) -> str | None:
        """Column of the weights of the rows, where the study had one: new data must have it too."""
        return self.option("weight")

    def option(self, name: str) -> str | None:
        """Return what the study was told: the column of ``group``, ``time`` or ``weight``; None where nothing."""
        found = self.bundle.card.get("details", {}).get(name)
        return None if found is None else str(found)

    def origins(self) -> tuple[str, ...]:
        """Return what would be imported to train its like: a bundle may name code, only its user may run it."""
        found = [origin for _, spec in self.members for origin in spec.origins()]
        chosen = self.recipe.get("chosen")
        for settings in chosen.values() if isinstance(chosen, dict) else ():
            if isinstance(settings, dict) and "origin" in settings:
                found.append(str(settings["origin"]))
        return tuple(dict.fromkeys(origin for origin in found if origin))

    def chosen(self, member: str) -> dict[str, Any]:
        """Return the settings that the first study chose for a basic model."""
        return dict((self.recipe.get("chosen") or {}).get(member) or {})

    def course(self, member: str) -> tuple[float, list[list[dict[str, Any]]]]:
        """Return (stopping point, traces) of a member's training; (1, none) where the bundle holds none."""
        traced = max(self.members, key=lambda one: one[0] if one[1].is_net else -1.0)[1].id
        if member != traced:
            return 1.0, []
        return float(self.recipe.get("fraction") or 1.0), list(self.recipe.get("traces") or [])


def open_champion(folder: Path) -> Champion:
    """Load the bundle in ``folder`` with what is needed to train its like.

    Raises:
        BundleError: it is missing, damaged or newer, or it holds no recipe.

    """
    bundle = load(folder)
    if "recipe.json" not in bundle.manifest["files"]:
        raise BundleError(
            f"the bundle {str(folder)!r} has no recipe.json",
            "a bundle that a study or a retraining wrote",
            "Run `temperance study` on the new data instead",
        )
    recipe = read_json(folder / "recipe.json")
    try:
        members = tuple((float(row["weight"]), TrialSpec.from_dict(row)) for row in recipe["members"])
        str(recipe["metric"])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        why = error if isinstance(error, TemperanceError) else repr(error)
        raise BundleError(
            f"recipe.json is not complete: {why}", "what a study writes", "Run `temperance study` on the new data"
        ) from error
    if not members:
        raise BundleError("recipe.json names no model", "at least one member", "Run `temperance study` on the new data")
    return Champion(bundle, recipe, members)


def check_trainable(champion: Champion, task: str, candidates: Sequence[str] = ()) -> None:
    """Refuse code that the bundle names and the caller did not, before anything is trained.

    Raises:
        StudyError: the bundle holds a user's net and ``task`` is empty, or a model from outside whose ``module:name``
            is not among ``candidates``.

    """
    foreign = [origin for origin in champion.origins() if origin not in candidates]
    if foreign:
        raise StudyError(
            f"the bundle's recipe would run code from outside: {', '.join(repr(o[:80]) for o in foreign)}",
            "code that you name yourself: a bundle is data, and what it names is not run for that reason alone",
            f"If you know this code, pass --candidate {foreign[0][:80]!r}; else run `temperance study` on the new data",
        )
    own = [spec.name for _, spec in champion.members if spec.model == "user"]
    if own and not task:
        raise StudyError(
            f"the bundle holds a net of your own ({', '.join(own)})",
            "the module:function that builds it",
            "Pass task='module:function', as in the study",
        )


@dataclass(frozen=True, eq=False)
class Served:
    """A bundle as a ``Predictor`` for rows of a schema whose vocabularies go on where the bundle's end."""

    bundle: Bundle

    @property
    def schema(self) -> Schema:
        """Columns and target of the bundle."""
        schema: Schema = self.bundle.schema
        return schema

    @property
    def decision(self) -> Decision | None:
        """How the bundle's probabilities become answers under costs."""
        found: Decision | None = self.bundle.decision
        return found

    def predict(self, rows: Rows) -> NDArray[Any]:
        """Return probabilities (b, c) or values (b,); categories that are new to the bundle count as unseen."""
        answer: NDArray[Any] = self.bundle.predict(self._known(rows))
        return answer

    def interval(self, rows: Rows) -> tuple[NDArray[Any], NDArray[Any]] | None:
        """Return (low, high), each (b,), or None where the bundle states no intervals."""
        return self.bundle.interval(self._known(rows)) if self.bundle.has_interval else None

    @property
    def coverage(self) -> float:
        """Share of rows that the intervals are meant to hold."""
        return float(self.bundle.coverage)

    def _known(self, rows: Rows) -> Rows:
        sizes = np.array([len(c.vocabulary) for c in self.schema.categorical], dtype=np.int64)
        codes = np.where(rows.categorical >= sizes, UNSEEN, rows.categorical).astype(np.int32)
        return rows._replace(categorical=codes)
