"""The pace of a net, and what a user's own ``Task`` asks of its training."""

from __future__ import annotations

import copy
from typing import Any

import torch

from temperance.core.recipe import Recipe
from temperance.core.regularizer import Regularizer
from temperance.records.errors import TemperanceError
from temperance.study import finish
from temperance.study.folded import as_trained
from temperance.study.jobs import Say
from temperance.study.runner import Runner
from temperance.study.search.portfolio import net_specs
from temperance.study.spec import TrialSpec
from temperance.study.task import Task
from temperance.training.predictor import examples

FEW = 16  # rows of the step that a technique is tried on


def pace(runner: Runner, job: dict[str, Any], say: Say) -> dict[str, Any]:
    """Measure the pace of a net as it will be trained; for a user's net, say what its ``Task`` asks for."""
    spec = TrialSpec.from_dict(job["spec"])
    asked = wishes(runner, spec) if spec.model == "user" else {}
    changed = {name: asked[name] for name in ("epochs", "batch_size") if asked.get(name) is not None}
    spec = spec.changed(settings={**spec.settings, **changed})
    measured = finish.pace(runner, {**job, "spec": spec.to_dict()}, say)
    if asked:
        asked["refused"] = refused(runner, spec)
    return {**measured, "own": asked}


def wishes(runner: Runner, spec: TrialSpec) -> dict[str, Any]:
    """Return ``epochs``, ``batch_size``, ``recipe`` and ``inputs`` of a user's ``Task``; None: the study chooses."""
    _, rows = as_trained(runner, spec)
    made = runner.net(spec, runner.preprocess(rows), rows)
    recipe = None if made.recipe is None else made.recipe.to_dict()
    return {"epochs": made.epochs, "batch_size": made.batch_size, "recipe": recipe, "inputs": made.inputs}


def refused(runner: Runner, spec: TrialSpec) -> dict[str, str]:
    """Return which of the techniques that a study tries cannot act on a user's net, each with the reason."""
    _, rows = as_trained(runner, spec)
    preprocess = runner.preprocess(rows)
    made = runner.net(spec, preprocess, rows)
    shown = examples(runner.fed(made, preprocess), runner.table, rows[:FEW], runner.device, own=False)
    batch = (shown.inputs, shown.targets)
    target = runner.schema.target.task
    tried = net_specs(
        model="user", settings={"epochs": 1.0}, steps=100, task=target, images=runner.schema.kind == "images",
        folded=False, seed=0,
    )  # fmt: skip
    techniques = {one["name"]: one for trial in tried for one in (trial.recipe or {})["regularizers"]}
    found = {name: _refusal(made, Recipe(Regularizer.from_dict(one)), batch) for name, one in techniques.items()}
    return {name: why for name, why in found.items() if why}


def _refusal(made: Task, recipe: Recipe, batch: Any) -> str:
    """Return why a recipe cannot take a step on a copy of the net; empty where it can."""
    model = copy.deepcopy(made.model).train()
    optimizer = made.optimizer(model) if made.optimizer else torch.optim.SGD(model.parameters(), lr=1e-3)
    try:
        session = recipe.attach(model, optimizer, loss=made.loss, epochs=1, steps_per_epoch=2, nan="ignore")
        session.step(batch)
    except TemperanceError as fault:
        return str(fault)
    except Exception as fault:  # a technique may fail in any way on a net that it does not know; it is told, not hidden
        return f"it failed on your net with {type(fault).__name__}: {fault}"
    session.close()
    return ""
