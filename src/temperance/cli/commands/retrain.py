"""``temperance retrain``: a challenger from new data against the model in use."""

from __future__ import annotations

from typing import Any

import typer

from temperance.cli import options
from temperance.cli.console import Console
from temperance.cli.models import bundle_folder
from temperance.cli.stations import study_folder


def retrain(
    context: typer.Context,
    bundle: options.BundleFolder,
    data: options.Data,
    target: options.Target = None,
    budget: options.Budget = "2m",
    out: options.Out = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Train again on new data; keep the better model.

    The bundle's recipe makes a challenger, and a paired test on rows that neither has seen decides.
    """
    from temperance.lifecycle import retrain as run
    from temperance.study.clock import parse_budget

    place = study_folder(out, f"retrain-{bundle.resolve().name}")
    value = run(bundle_folder(bundle), data, target=target, budget=parse_budget(budget), out=place)
    Console(as_json, quiet).result(value, text(value))


def text(value: dict[str, Any]) -> str:
    """Return the decision in words."""
    lines = [str(value[key]) for key in ("sentence", "why") if value.get(key)]
    lines += [
        f"  {label}: {value[key]}"
        for key, label in (("bundle", "model to serve"), ("folder", "written to"))
        if value.get(key)
    ]
    return "\n".join(lines)
