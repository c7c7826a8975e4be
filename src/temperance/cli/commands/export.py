"""``temperance export``: any candidate of a study as a bundle, or the whole study for MLflow or Optuna."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from temperance.cli import options
from temperance.cli.console import Console
from temperance.cli.progress import progress
from temperance.records.errors import SettingError, nearest

TRACKERS = ("mlflow", "optuna")


def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a study.")],
    trial: Annotated[
        str | None, typer.Option("--trial", metavar="ID", help="A trial, e.g. t003: see leaderboard.csv.")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="TRACKER", help="The whole study, to mlflow or optuna."),
    ] = None,
    uri: Annotated[
        str | None,
        typer.Option(
            "--uri",
            metavar="URI",
            help="Where --to writes: sqlite:///runs.db, a server, for optuna a .db or .log file.",
            show_default="MLflow's own place, or DIR/optuna.db",
        ),
    ] = None,
    out: options.Out = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Write any trial of a study as a bundle, or the study for MLflow or Optuna.

    With --trial: for a candidate of the frontier that suits you better than the winner. It is trained on all rows that
    were not kept for the test, tested, and written to DIR/bundle-ID or --out. The study's own bundle stays as it is.

    With --to mlflow: a run with its report, cards and bundle, and a run for each trial inside it. With --to optuna: a
    study with a trial for each of ours; `temperance study --start` takes it back.
    """
    check(trial, to, uri, out)
    console = Console(as_json, quiet)
    if to is not None:
        value = tracked(folder, to, uri)
        console.result(value, words(value))
        return
    from temperance.study.exporting import export as run

    with progress(quiet=quiet or as_json) as shown:
        value = run(folder, str(trial), out=out, started=context.obj.moment, progress=shown)
    console.result(value, text(value))


def check(trial: str | None, to: str | None, uri: str | None, out: Path | None) -> None:
    """Refuse options that do not go together.

    Raises:
        SettingError: they do not.

    """
    if (trial is None) == (to is None):
        what = "neither --trial nor --to" if trial is None else "--trial and --to together"
        raise SettingError(what, "one of them", "Name a trial with --trial, or a tracker with --to")
    if to is not None and to not in TRACKERS:
        raise SettingError(
            f"--to got {to!r}", "one of " + ", ".join(TRACKERS), nearest(to, TRACKERS) or "Use --to mlflow"
        )
    if to is not None and out is not None:
        raise SettingError("--out together with --to", "--uri says where a tracker keeps its runs", "Use --uri")
    if uri is not None and to is None:
        raise SettingError("--uri without --to", "it says where a tracker keeps its runs", "Add --to mlflow or optuna")


def tracked(folder: Path, to: str, uri: str | None) -> dict[str, Any]:
    """Write the study for a tracker and return what was written where."""
    if to == "mlflow":
        from temperance.integrations.mlflow import export_study as to_mlflow

        return to_mlflow(folder, uri=uri)
    from temperance.integrations.optuna import export_study as to_optuna

    return to_optuna(folder, uri=uri)


def words(value: dict[str, Any]) -> str:
    """Return in words what a tracker got."""
    if value["to"] == "mlflow":
        place = f"the experiment {value['experiment']!r} of MLflow at {value['uri']}"
        return f"{value['trials']} trials are runs inside the run {value['run']} in {place}."
    return f"{value['trials']} trials are written to the Optuna study {value['study']!r} in {value['uri']}."


def text(value: dict[str, Any]) -> str:
    """Return the outcome in words."""
    return f"{value['name']} ({value['trial']}) is written to {value['bundle']}."
