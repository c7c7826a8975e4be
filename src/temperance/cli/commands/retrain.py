"""``temperance retrain``: a challenger from new data against the model in use."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from temperance.cli import options
from temperance.cli.commands.study import check_device
from temperance.cli.console import Console
from temperance.cli.models import bundle_of
from temperance.cli.progress import progress
from temperance.cli.stations import study_folder


def retrain(
    context: typer.Context,
    bundle: options.BundleFolder,
    data: options.Data,
    target: options.Target = None,
    budget: options.Budget = "2m",
    out: options.Out = None,
    group: options.Group = None,
    time_column: options.Time = None,
    task: options.Task = "",
    champion_data: Annotated[
        str | None,
        typer.Option(
            "--champion-data",
            metavar="FILE",
            help="The data that the model in use was made from: no row of it is test.",
        ),
    ] = None,
    candidates: Annotated[
        list[str] | None,
        typer.Option(
            "--candidate", metavar="MODULE:NAME", help="A model from outside that the recipe names and you trust."
        ),
    ] = None,
    column: options.Columns = None,
    na_values: options.NaValues = None,
    sheet: options.Sheet = None,
    sep: options.Sep = None,
    schema: options.SchemaFile = None,
    rows: options.RowsInMemory = None,
    seed: options.Seed = 0,
    device: options.Device = "cpu",
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Train again on new data; keep the better model.

    The bundle's recipe makes a challenger, and a paired test on rows that neither has seen decides.
    Of several targets --target says which. The model in use is only read. --group and --time are those of its study
    where left out. Says whether more or less regularization is needed now, where time allows. Writes retrain.json and
    bundle/ into --out.
    """
    from temperance.data.choices import choose
    from temperance.lifecycle import retrain as run

    check_device(device)
    console = Console(as_json, quiet)
    folder = bundle_of(bundle, target)
    place = study_folder(out, f"retrain-{folder.resolve().parent.name}")
    with progress(quiet=quiet or as_json) as shown:
        value = run(
            folder, data, target=target, budget=budget, out=place, seed=seed, group=group, time_column=time_column,
            task=task if ":" in task else "", champion_data=champion_data, candidates=tuple(candidates or ()),
            device=device, started=context.obj.moment, progress=shown,
            choices=choose(column or (), na_values=na_values, sheet=sheet, sep=sep, schema=schema, rows=rows),
        )  # fmt: skip
    console.result(value, text(value))


def text(value: dict[str, Any]) -> str:
    """Return the decision in words."""
    lines = [str(value["sentence"]), f"  {value['why']}"]
    lines += [f"  {row['column']}: {row['what']}" for row in value["changes"]]
    if value.get("strengths"):
        lines.append(f"  {value['strengths']['sentence']}")
    lines += [f"  note            {limit}" for limit in value.get("limits", [])[1:]]
    lines += [f"  model to serve  {value['bundle']}", f"  all figures     {value['folder']}/retrain.json"]
    return "\n".join(lines)
