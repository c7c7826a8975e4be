"""One net with one recipe for fixed epochs, in this process: what an estimator trains without a budget."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import temperance.regularizers
import temperance.signals  # noqa: F401  # both fill their registries
from temperance.core import devices
from temperance.core.recipe import Recipe
from temperance.data import save_roles
from temperance.models import recipes_for, training_for
from temperance.records.errors import SettingError, StudyError
from temperance.records.roles import Roles
from temperance.records.schema import Task
from temperance.records.table import Table
from temperance.regularizers import Dropout, WeightDecay
from temperance.study.own import wishes
from temperance.study.runner import Runner
from temperance.study.spec import TrialSpec
from temperance.study.store import save_table
from temperance.study.task import named
from temperance.training.predictor import NetPredictor

USER = "user"


@dataclass(frozen=True)
class Single:
    """How the net is trained; None takes what suits the task and the count of rows.

    Attributes:
        recipe: techniques and controller.
        epochs: passes over the rows.
        batch_size: rows per step.
        learning_rate: largest learning rate of AdamW.
        net: name of the architecture; ``module:function`` or a function of the user's own net.
        device: ``auto``, ``cpu``, ``cuda`` …
        seed: of weights, order and noise.

    """

    recipe: Recipe | None = None
    epochs: float | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    net: Any = "Tabular"
    device: str = "cpu"
    seed: int = 0

    def train(self, table: Table) -> tuple[NetPredictor, dict[str, Any]]:
        """Train on all rows of ``table``; return the predictor and a trial as in ``study.json``.

        Raises:
            StudyError: the trained net's answers are not numbers.

        """
        everything, none = np.arange(len(table), dtype=np.int64), np.empty(0, dtype=np.int64)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # small steps are faster on one, and the same seed gives the same weights
        try:
            with tempfile.TemporaryDirectory(prefix="temperance-") as scratch:
                save_table(table, Path(scratch) / "table")
                save_roles(Roles(everything, none, none, none, none), Path(scratch) / "roles.npz")
                task = named(self.net, Path(scratch)) if self._own else ""
                runner = Runner(Path(scratch), task=task, device=self._device())
                spec = self.spec(table.schema.target.task, len(table))
                spec = self._as_wished(runner, spec) if self._own else spec
                fitted = runner.fit(spec, everything, none, measure=False)
        finally:
            torch.set_num_threads(threads)
        answers = fitted.predictor.predict(table.rows.take(np.arange(min(len(table), 256))))
        if not np.isfinite(answers).all():
            raise StudyError(
                "the net's answers are not numbers after training",
                "finite weights", "Lower learning_rate, or leave it out; look for infinite inputs",
            )  # fmt: skip
        trained = fitted.trained
        history, trace = (trained.history, trained.trace) if trained else ([], [])
        row = {
            **spec.to_dict(), "status": "done", "cost": fitted.cost.to_dict(), "history": history,
            "epochs": trained.epochs if trained else 0.0, "trace": [move.to_dict() for move in trace],
        }  # fmt: skip
        return fitted.predictor, row

    def spec(self, task: Task, rows: int) -> TrialSpec:
        """Return the trial that this is, for a task and a count of rows.

        Raises:
            SettingError: ``recipe`` is not a recipe.

        """
        net = USER if self._own else self.net
        usual = training_for(net, task, rows)
        recipe = default_recipe(task) if self.recipe is None else self.recipe
        check_recipe(recipe)
        settings = {
            "epochs": float(usual.epochs if self.epochs is None else self.epochs),
            "batch_size": int(usual.batch_size if self.batch_size is None else self.batch_size),
            "lr": float(usual.lr if self.learning_rate is None else self.learning_rate),
            "curve": usual.curve, "beta2": usual.beta2,
        }  # fmt: skip
        return TrialSpec(
            "t000", "one net", "cocktail", net, recipe.to_dict(), settings, seed=self.seed,
            adaptive=recipe.is_adaptive,
        )  # fmt: skip

    @property
    def _own(self) -> bool:
        return callable(self.net) or ":" in self.net

    def _as_wished(self, runner: Runner, spec: TrialSpec) -> TrialSpec:
        """Return the trial as the user's ``Task`` asks for it; what this was given comes first."""
        asked = wishes(runner, spec)
        given = {"epochs": self.epochs, "batch_size": self.batch_size}
        taken = {key: asked[key] for key, value in given.items() if value is None and asked[key] is not None}
        recipe = asked["recipe"] if self.recipe is None and asked["recipe"] is not None else spec.recipe
        adaptive = Recipe.from_dict(recipe or {}).is_adaptive
        return spec.changed(settings={**spec.settings, **taken}, recipe=recipe, adaptive=adaptive)

    def _device(self) -> str:
        if self.device != "auto":
            return self.device
        return devices.best()


def check_recipe(recipe: Any) -> None:
    """Refuse what is not a recipe.

    Raises:
        SettingError: it is not.

    """
    if not isinstance(recipe, Recipe):
        raise SettingError(
            f"recipe={recipe!r} of type {type(recipe).__name__}", "a temperance.Recipe, or None for the default",
            "Write Recipe(Dropout(0.1), WeightDecay(0.1))",
        )  # fmt: skip


def default_recipe(task: Task) -> Recipe:
    """Return the recipe of medium strength for a task: weight decay and dropout."""
    medium = next(one for one in recipes_for(task) if one.name == "medium")
    return Recipe(WeightDecay(medium.weight_decay), Dropout(medium.dropout))
