"""``temperance study``: from a data file to a measured model."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from temperance.cli import options
from temperance.cli.console import Console
from temperance.cli.guard import STOPPED, Started
from temperance.cli.models import is_several
from temperance.cli.quantities import bytes_of, milliseconds
from temperance.cli.resuming import check_kept, is_told_complete, is_typed
from temperance.cli.stations import Action, command_line, run_study, study_folder
from temperance.records.errors import SettingError, nearest

if TYPE_CHECKING:
    from temperance.study.clock import Budget
    from temperance.study.desk import Progress
    from temperance.study.settings import StudySettings

TASKS = ("auto", "classification", "counts", "multilabel", "ordinal", "regression")
DEVICES = ("auto", "cpu", "cuda", "mps")
DEFAULT_BUDGET = "10m"


def study(
    context: typer.Context,
    data: Annotated[
        str | None, typer.Argument(metavar="DATA", help=f"{options.DATA_HELP} Not needed with --resume and --replay.")
    ] = None,
    target: options.Targets = None,
    test: options.Test = None,
    task: options.Task = "auto",
    budget: Annotated[
        str | None,
        typer.Option("--budget", metavar="TIME", help=options.BUDGET_HELP, show_default=DEFAULT_BUDGET),
    ] = None,
    group: options.Group = None,
    time_column: options.Time = None,
    series_id: options.SeriesId = None,
    lags: options.Lags = None,
    horizon: options.Horizon = None,
    by: options.By = None,
    weight: options.Weight = None,
    column: options.Columns = None,
    keep: options.Keep = None,
    drop: options.Drop = None,
    na_values: options.NaValues = None,
    sheet: options.Sheet = None,
    sep: options.Sep = None,
    schema: options.SchemaFile = None,
    rows: options.RowsInMemory = None,
    metric: Annotated[
        str | None,
        typer.Option("--metric", metavar="NAME", help="What decides: accuracy, …", show_default="log_loss or rmse"),
    ] = None,
    cost: options.Costs = None,
    interval: options.Interval = None,
    licence: options.Licence = None,
    seed: options.Seed = 0,
    out: options.Out = None,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="DIR", help="Go on with an interrupted study.")
    ] = None,
    replay: Annotated[
        Path | None, typer.Option("--replay", metavar="DIR", help="Run a study again and compare it bit for bit.")
    ] = None,
    candidates: Annotated[
        list[str] | None,
        typer.Option(
            "--candidate", metavar="MODULE:NAME", help="A scikit-learn estimator of yours that competes; repeatable."
        ),
    ] = None,
    start: Annotated[
        list[str] | None,
        typer.Option(
            "--start", metavar="FILE", help="Recipes to try first: a TOML file, or an Optuna study's .db; repeatable."
        ),
    ] = None,
    max_latency: Annotated[
        str | None, typer.Option("--max-latency", metavar="TIME", help="No model slower than this a row, e.g. 5ms.")
    ] = None,
    max_size: Annotated[
        str | None, typer.Option("--max-size", metavar="SIZE", help="No model larger than this, e.g. 2MB.")
    ] = None,
    prefer: Annotated[
        str, typer.Option("--prefer", metavar="WHAT", help="best, balanced or cheap: what a winner may cost.")
    ] = "best",
    only_task: Annotated[
        bool, typer.Option("--only-task", help="With --task module:function: nothing but your net may win.")
    ] = False,
    no_marks: Annotated[
        bool,
        typer.Option("--no-marks", help="Leave out the marks by which the model knows the rows that it was made from."),
    ] = False,
    device: options.Device = "auto",
    workers: options.Workers = None,
    language: options.Language = "en",
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Find and ship the best regularized model.

    Takes a table or images. Writes study.json, report.html, leaderboard.csv, two cards and bundle/ into --out.
    Ctrl-C keeps the best so far.
    """
    from temperance.cli import several
    from temperance.cli.starting import starts_of
    from temperance.data.choices import choose
    from temperance.governance.licence import check_expression
    from temperance.records.decision import parse_costs
    from temperance.records.stated_range import check_level
    from temperance.report.words import check_language
    from temperance.study.clock import parse_budget
    from temperance.study.settings import StudySettings

    console, started = Console(as_json, quiet), context.obj
    limits: dict[str, Any] = {
        "max_latency_ms": milliseconds(max_latency) if max_latency else None,
        "max_bytes": bytes_of(max_size) if max_size else None,
    }
    check_task(task)
    check_device(device)
    check_preference(prefer, task, only=only_task)
    check_language(language)
    check_level(interval)
    if licence is not None:
        check_expression(licence)
    costs = tuple(price for one in cost or () for price in parse_costs(one))
    spent = parse_budget(budget) if budget else None
    shown: dict[str, Any] = {"console": console, "started": started, "language": language}
    this_run: dict[str, Any] = {"started": started.moment, "command": command_line(context)}
    this_run |= {} if workers is None else {"workers": workers}
    _check_ways(context, resume, replay)
    if replay is not None:
        from temperance.cli.replaying import run_replay

        run_replay(replay, out=out, console=console, **this_run)
    elif resume is not None:
        check_kept(context)
        chosen = {**limits, "prefer": prefer if is_typed(context, "prefer") else None}
        this_run |= {name: value for name, value in chosen.items() if value is not None}
        if is_several(resume):
            several.conclude(several.resumed(resume, budget=spent, **this_run), resume, **shown)
        elif not is_told_complete(resume, budget=spent, console=console):
            conclude(resumed(resume, budget=spent, **this_run), resume, **shown)
    else:
        choices = choose(
            column or (), keep=keep or (), drop=drop or (), na_values=na_values, sheet=sheet, sep=sep, schema=schema,
            id_column=series_id, lags=lags, horizon=horizon, by=by, rows=rows,
        )  # fmt: skip
        targets = several.targets_of(target, data, task, separator=choices.separator, sheet=choices.sheet)
        settings = StudySettings(
            data=named(data), target=targets[0] if targets else None, out=study_folder(out, named(data)), task=task,
            test=test, group=group,
            budget=spent or parse_budget(DEFAULT_BUDGET), time=time_column, weight=weight, metric=metric, seed=seed,
            device=device, prefer=prefer, only=only_task, candidates=tuple(candidates or ()), reading=choices.to_dict(),
            starts=starts_of(start or [], console), costs=costs, interval=interval, licence=licence or "",
            marks=not no_marks, **limits, **this_run,
        )  # fmt: skip
        if len(targets) > 1 or task == "multilabel":
            several.conclude(several.new(settings, targets), settings.out, **shown)
        else:
            conclude(new_study(settings), settings.out, **shown)


def _check_ways(context: typer.Context, resume: Path | None, replay: Path | None) -> None:
    if resume is not None and replay is not None:
        raise SettingError("--resume and --replay together", "one of the two", "Leave one out")
    if replay is not None and is_typed(context, "language"):
        raise SettingError(
            "--replay with --language", "a replay compares predictions and writes no report", "Leave --language out"
        )


def conclude(action: Action, folder: Path, *, console: Console, started: Started, language: str = "en") -> None:
    """Run a study and print its verdict; end with 130 if the user stopped it early."""
    from temperance.cli.verdict import summary, text

    document = run_study(action, folder, console=console, language=language)
    seconds = time.monotonic() - started.moment
    console.result(summary(folder, document, seconds=seconds), text(folder, document, seconds=seconds))
    if document["status"] == "interrupted":
        raise typer.Exit(STOPPED)


def new_study(settings: StudySettings) -> Action:
    """Return what runs a new study."""

    def action(progress: Progress, then: Callable[[Path], object]) -> Path:
        from temperance.study.study import Study

        return Study(settings, progress=progress, then=then).run()

    return action


def resumed(folder: Path, *, budget: Budget | None, **changed: Any) -> Action:
    """Return what goes on with a study.

    Args:
        folder: the study's folder.
        budget: time from now on; None takes what the study has left.
        **changed: settings of this run.

    """

    def action(progress: Progress, then: Callable[[Path], object]) -> Path:
        from temperance.study.again import resume

        return resume(folder, budget=budget, progress=progress, then=then, **changed)

    return action


def named(data: str | None) -> str:
    """Return the data that were named.

    Raises:
        SettingError: none were.

    """
    if data is None:
        raise SettingError(
            "no data were named", "a file or a bundled set", "Write temperance study DATA --target COLUMN"
        )
    return data


def check_task(task: str) -> None:
    """Refuse a task that is neither known nor ``module:function``.

    Raises:
        SettingError: it is neither.

    """
    if task not in TASKS and ":" not in task:
        raise SettingError(
            f"--task got {task!r}", f"{', '.join(TASKS)}, or module:function", nearest(task, TASKS) or "Use --task auto"
        )


def check_preference(prefer: str, task: str, *, only: bool) -> None:
    """Refuse an unknown preference, and ``--only-task`` without a net.

    Raises:
        SettingError: one of these.

    """
    from temperance.study.settings import PREFER

    if prefer not in PREFER:
        raise SettingError(
            f"--prefer got {prefer!r}", ", ".join(PREFER), nearest(prefer, PREFER) or "Use --prefer best"
        )
    if only and ":" not in task:
        raise SettingError("--only-task without a net", "--task module:function", "Name your net with --task")


def check_device(device: str) -> None:
    """Refuse a device of an unknown kind.

    Raises:
        SettingError: it is none of ``auto``, ``cpu``, ``cuda`` and ``mps``.

    """
    kind, _, number = device.partition(":")
    if kind not in DEVICES or (":" in device and not number.isdigit()):
        remedy = nearest(kind, DEVICES) or "Use --device auto"
        raise SettingError(f"--device got {device!r}", "auto, cpu, cuda, cuda:1 or mps", remedy)
