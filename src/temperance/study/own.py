"""The pace of a net, and what a user's own ``Task`` asks of its training."""

from __future__ import annotations

from typing import Any

from temperance.study import finish
from temperance.study.folded import as_trained
from temperance.study.jobs import Say
from temperance.study.runner import Runner
from temperance.study.spec import TrialSpec


def pace(runner: Runner, job: dict[str, Any], say: Say) -> dict[str, Any]:
    """Measure the pace of a net as it will be trained; for a user's net, say what its ``Task`` asks for."""
    spec = TrialSpec.from_dict(job["spec"])
    asked = wishes(runner, spec) if spec.model == "user" else {}
    changed = {name: asked[name] for name in ("epochs", "batch_size") if asked.get(name) is not None}
    spec = spec.changed(settings={**spec.settings, **changed})
    return {**finish.pace(runner, {**job, "spec": spec.to_dict()}, say), "own": asked}


def wishes(runner: Runner, spec: TrialSpec) -> dict[str, Any]:
    """Return ``epochs``, ``batch_size``, ``recipe`` and ``inputs`` of a user's ``Task``; None: the study chooses."""
    _, rows = as_trained(runner, spec)
    made = runner.net(spec, runner.preprocess(rows), rows)
    recipe = None if made.recipe is None else made.recipe.to_dict()
    return {"epochs": made.epochs, "batch_size": made.batch_size, "recipe": recipe, "inputs": made.inputs}
