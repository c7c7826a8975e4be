"""``temperance export``: a model for where it will run, any candidate as a bundle, or the study for a tracker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from temperance.cli import options, targets
from temperance.cli.console import Console
from temperance.cli.progress import progress
from temperance.records.errors import SettingError, nearest

TRACKERS = ("mlflow", "optuna")


def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a study, or with --target a bundle.")],
    target: Annotated[
        str | None,
        typer.Option(
            "--target", metavar="PLACE", help="Where it will run: cpu, edge, gpu, torch, onnx, mlflow or container."
        ),
    ] = None,
    trial: Annotated[
        str | None, typer.Option("--trial", metavar="ID", help="A trial, e.g. t003: see leaderboard.csv.")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="FILE", help="For a bundle with --target: rows with known answers to judge by."),
    ] = None,
    max_drop: Annotated[
        str, typer.Option("--max-drop", metavar="SHARE", help="Most that a smaller form may lose of the score.")
    ] = "0.5%",
    max_latency: Annotated[
        str | None, typer.Option("--max-latency", metavar="TIME", help="Most that a row may take, e.g. 5ms.")
    ] = None,
    max_size: Annotated[
        str | None, typer.Option("--max-size", metavar="SIZE", help="Most that the model may hold, e.g. 500kB.")
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
    """Write a model for where it will run, any trial of a study as a bundle, or the study for MLflow or Optuna.

    With --target: smaller and faster forms are made (8-bit integers, float16), each compared with the model as it is
    on the study's test rows or on --data, and timed; the best one that loses at most --max-drop is written. torch
    writes a torch program, the others a bundle. A table says what each form costs and why one was refused. mlflow and
    container pack the bundle as it is: as an MLflow model, and with a Containerfile that needs no network.

    With --trial: for a candidate of the frontier that suits you better than the winner. It is trained on all rows that
    were not kept for the test, tested, and written to DIR/bundle-ID or --out. The study's own bundle stays as it is.

    With --to mlflow: a run with its report, cards and bundle, and a run for each trial inside it. With --to optuna: a
    study with a trial for each of ours; `temperance study --start` takes it back.
    """
    check(trial, to, uri, out, target, [data, max_latency, max_size])
    console = Console(as_json, quiet)
    if to is not None:
        value = tracked(folder, to, uri)
        console.result(value, words(value))
        return
    if target in targets.PACKED:
        console.result(*targets.packed(folder, target, trial=trial, data=data, out=out))
        return
    with progress(quiet=quiet or as_json) as shown:
        if target is not None:
            limits, most = targets.limits_of(max_latency, max_size), targets.share(max_drop)
            if (folder / "manifest.json").is_file():
                if trial is not None:
                    raise SettingError("--trial with a bundle", "the folder of a study has trials", "Give that folder")
                done = targets.from_bundle(
                    folder, target, data=data, out=out, max_drop=most, limits=limits, say=console.note
                )
            else:
                done, trial = _of_study(context, folder, target, trial, data, out, most, limits, shown, console)
            console.result({**done.to_dict(), "trial": trial}, targets.words(done, trial))
            return
        from temperance.study.exporting import export as run

        value = run(folder, str(trial), out=out, started=context.obj.moment, progress=shown)
    console.result(value, text(value))


def _of_study(
    context: typer.Context, folder: Path, target: str, trial: str | None, data: str | None, out: Path | None,
    most: float, limits: Any, shown: Any, console: Console,
) -> tuple[Any, str]:  # fmt: skip
    from temperance.study.targeting import export_for

    if data is not None:
        raise SettingError("--data with a study", "its own test rows judge", "Leave it out, or give DIR/bundle")
    return export_for(
        folder, target, trial=trial, out=out, max_drop=most, limits=limits, started=context.obj.moment, progress=shown,
        say=console.note,
    )  # fmt: skip


def check(
    trial: str | None, to: str | None, uri: str | None, out: Path | None, target: str | None, others: Sequence[Any]
) -> None:
    """Refuse options that do not go together; ``others`` belong to --target.

    Raises:
        SettingError: they do not.

    """
    if trial is None and to is None and target is None:
        raise SettingError(
            "neither --target, --trial nor --to", "one of them",
            "Name where it will run with --target, a trial with --trial, or a tracker with --to",
        )  # fmt: skip
    if to is not None and (trial is not None or target is not None):
        raise SettingError("--to together with --trial or --target", "a tracker takes the whole study", "Use one")
    if target is not None:
        targets.check_target(target)
    elif any(one is not None for one in others):
        raise SettingError("--data, --max-latency or --max-size without --target", "they judge forms for a target",
                           "Add --target cpu, edge, gpu, torch or onnx")  # fmt: skip
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
