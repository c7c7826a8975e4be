"""``temperance stream``: what each way to keep a model would have brought on data in order of time."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from temperance.cli import options
from temperance.cli.commands.study import check_device
from temperance.cli.console import Console, table
from temperance.cli.progress import progress
from temperance.cli.stations import study_folder


def stream(
    data: options.Data,
    target: options.Target = None,
    time_column: Annotated[
        str | None,
        typer.Option("--time", metavar="COL", help="Column that orders the rows; without it they stay as they stand."),
    ] = None,
    out: options.Out = None,
    first: Annotated[
        int,
        typer.Option(
            "--first", min=0, metavar="ROWS", help="The first model learns from so many; 0: a fifth, 200 to 5,000."
        ),
    ] = 0,
    delay: Annotated[
        int, typer.Option("--delay", min=0, metavar="ROWS", help="Rows that pass until the truth of a row is known.")
    ] = 0,
    every: Annotated[
        int,
        typer.Option(
            "--every",
            min=0,
            metavar="ROWS",
            help="Rows between scheduled trainings; 0: an eighth of the rest, at least 200.",
        ),
    ] = 0,
    window: Annotated[
        int, typer.Option("--window", min=100, metavar="ROWS", help="Rows that a training uses at most.")
    ] = 5000,
    batch: Annotated[int, typer.Option("--batch", min=1, metavar="ROWS", help="Rows that are answered at once.")] = 32,
    fast: Annotated[bool, typer.Option("--fast", help="Simple models only, no net.")] = False,
    task: options.Task = "auto",
    column: options.Columns = None,
    keep: options.Keep = None,
    drop: options.Drop = None,
    na_values: options.NaValues = None,
    sheet: options.Sheet = None,
    sep: options.Sep = None,
    schema: options.SchemaFile = None,
    seed: options.Seed = 0,
    device: options.Device = "cpu",
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Walk through data in order of time and compare ways to keep a model.

    Each row is answered first and its truth told later. The ways: the first model left as it is, trained again on a
    schedule, trained again on an alarm, adapted behind its guard, and repeating the last truth; with their costs.
    Writes stream.json and stream.html into --out.
    """
    from temperance.data.choices import choose
    from temperance.lifecycle import Plan
    from temperance.lifecycle import stream as run

    check_device(device)
    place = study_folder(out, f"stream-{data}")
    with progress(quiet=quiet or as_json) as shown:
        value = run(
            data, target=target, time_column=time_column, out=place, task=task, seed=seed, device=device,
            plan=Plan(first=first, delay=delay, every=every, window=window, batch=batch, net=not fast),
            choices=choose(
                column or (), keep=keep or (), drop=drop or (), na_values=na_values, sheet=sheet, sep=sep, schema=schema
            ), progress=shown,
        )  # fmt: skip
    Console(as_json, quiet).result(value, text(value))


def text(value: dict[str, Any]) -> str:
    """Return the outcome in words and the table of all ways."""
    classify = value["metric"] == "accuracy"
    head = ("way", value["metric"], "gain (95 %)", "trainings", "seconds", "ms a row")
    lines = [head, *(_row(arm, classify) for arm in value["arms"])]
    return "\n".join([value["sentence"], "", table(lines), "", f"Page: {value['page']}"])


def _row(arm: dict[str, Any], classify: bool) -> tuple[str, ...]:
    gain = arm["gain"]
    scale, form = (100, "+.2f") if classify else (1, "+.4g")
    told = "" if arm["arm"] == "static" else (
        f"{scale * gain['value']:{form}} ({scale * gain['low']:{form}} to {scale * gain['high']:{form}})"
    )  # fmt: skip
    shown = f"{100 * arm['value']:.2f} %" if classify else f"{arm['value']:.4g}"
    ways = (arm["words"], shown, told, str(arm["retrainings"]), f"{arm['seconds']:.1f}", f"{arm['ms_per_row']:.2f}")
    return tuple(ways)
