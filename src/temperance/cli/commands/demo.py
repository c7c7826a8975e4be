"""``temperance demo``: a study on a bundled real data set."""

from __future__ import annotations

import typer

from temperance.cli import options
from temperance.cli.commands.study import conclude, new_study
from temperance.cli.console import Console
from temperance.cli.guard import Started
from temperance.cli.stations import command_line, study_folder

SET, COLUMN = "breast_cancer", "target"


def demo(
    context: typer.Context,
    budget: options.Budget = "60s",
    seed: options.Seed = 0,
    out: options.Out = None,
    workers: options.Workers = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Run a study on a bundled real data set.

    569 tumours, measured under a microscope, benign or malignant. They come with scikit-learn; nothing is downloaded.
    """
    from temperance.study.clock import parse_budget
    from temperance.study.settings import StudySettings

    started: Started = context.obj
    settings = StudySettings(
        data=SET, target=COLUMN, out=study_folder(out, "demo"), budget=parse_budget(budget), seed=seed,
        started=started.moment, command=command_line(context), workers=workers,
    )  # fmt: skip
    conclude(new_study(settings), settings.out, console=Console(as_json, quiet), started=started)
