"""``temperance demo``: a study on a bundled real data set."""

from __future__ import annotations

import typer

from temperance.cli import options
from temperance.cli.commands.study import conclude, new_study
from temperance.cli.console import Console
from temperance.cli.guard import Started
from temperance.cli.stations import command_line, study_folder

COLUMN = "target"
WORDS = (
    "The demo: 400 handwritten digits, 120 of them with a wrong answer on purpose. The test: 1,397 others, all right.\n"
    "See in the report what regularization bought there. The same with words: temperance study noisy_digits --test "
    "noisy_digits_test"
)


def demo(
    context: typer.Context,
    budget: options.Budget = "75s",
    seed: options.Seed = 0,
    out: options.Out = None,
    workers: options.Workers = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Run a study on bundled data that lie, and show what regularization buys there.

    400 handwritten digits, of which 30 % carry a wrong answer on purpose; the test is 1,397 others with right answers.
    They come with scikit-learn; nothing is downloaded.
    """
    from temperance.data.bundled import NOISY, NOISY_TEST
    from temperance.study.clock import parse_budget
    from temperance.study.settings import StudySettings

    started: Started = context.obj
    settings = StudySettings(
        data=NOISY, target=COLUMN, test=NOISY_TEST, out=study_folder(out, "demo"), budget=parse_budget(budget),
        seed=seed, started=started.moment, command=command_line(context), workers=workers,
    )  # fmt: skip
    console = Console(as_json, quiet or as_json)
    console.note(WORDS)
    conclude(new_study(settings), settings.out, console=Console(as_json, quiet), started=started)
