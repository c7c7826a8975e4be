"""``temperance compare``: two models on the same rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from temperance.cli import options
from temperance.cli.console import Console

if TYPE_CHECKING:
    from temperance.cli.vetting import Given
    from temperance.evaluation.versus import Versus


def compare(
    first: Annotated[
        str, typer.Argument(metavar="A", help=f"The model that the answer is about. {options.MODEL_HELP}")
    ],
    second: Annotated[str, typer.Argument(metavar="B", help="What it is compared with; the same kinds.")],
    data: options.Data,
    target: options.Target = None,
    task: options.VettedTask = "auto",
    metric: Annotated[
        str | None,
        typer.Option("--metric", metavar="NAME", help="The figure that decides.", show_default="accuracy or rmse"),
    ] = None,
    margin: Annotated[
        float, typer.Option("--margin", min=0.0, metavar="SIZE", help="Differences up to this size do not matter.")
    ] = 0.005,
    group: options.VettedGroup = None,
    weight: options.Weight = None,
    column: options.Columns = None,
    na_values: options.NaValues = None,
    sheet: options.Sheet = None,
    sep: options.Sep = None,
    schema: options.SchemaFile = None,
    seed: options.Seed = 0,
    out: options.Out = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare two models on the same rows, without those that either learned from.

    The answer is one of four: better, worse, equivalent within --margin, or no evidence of difference. One figure
    decides; the others are corrected for their count. Of the models of several
    targets --target says which. With --out DIR it writes comparison.json, comparison.md and the answers of both row by
    row, rows.parquet.
    """
    from temperance.cli import vetting
    from temperance.data.choices import choose
    from temperance.evaluation.versus import versus
    from temperance.evaluation.vetting_page import versus_page

    vetting.check_out(out)
    choices = choose(column or (), na_values=na_values, sheet=sheet, sep=sep, schema=schema)
    asked = vetting.Asked(data, choices, target, task, group, None, weight)
    with vetting.given([vetting.one_of(model, target) for model in (first, second)], asked) as (one, two):
        done = versus(
            one.subject, two.subject, (one.reading.table, two.reading.table), name=metric, margin=margin, seed=seed
        )
        if one.subject.name == two.subject.name and first != second:  # one study after another: tell them by place
            done = replace(done, names=(first, second))
        pairs = zip(done.names, (one.subject, two.subject), strict=True)
        told = [f"{name}: {note}" for name, subject in pairs for note in vetting.with_scale(subject).notes]
        notes = [*dict.fromkeys([*one.notes, *two.notes]), *told]
        value = {"first": first, "second": second, "data": data, "seed": seed, "notes": notes, **done.to_dict()}
        if out is not None:
            from temperance.cli.answers import write

            vetting.make_folder(out)
            write(_rows(done, one), out / "rows.parquet")
            rows = {"paths": {"rows": str(out / "rows.parquet")}}
            value["paths"] = vetting.write_results(out, "comparison", {**value, **rows}, versus_page(done, data=data))
    lines = [*done.sentences(), *told, *(f"Written: {path}" for path in value.get("paths", {}).values())]
    Console(as_json, quiet).result(value, "\n".join(lines))


def _rows(done: Versus, one: Given) -> dict[str, list[Any]]:
    """Return the truth and both models' answers row by row."""
    from temperance.evaluation.aspects.predictive import per_row

    places = done.index if one.places is None else one.places[done.index]
    out: dict[str, list[Any]] = {"row": places.tolist()}
    for side, seen in zip(("first", "second"), done.outcomes, strict=True):
        columns = per_row(seen, one.subject.classes)
        out |= {key if key == "truth" else f"{side}_{key}": values.tolist() for key, values in columns.items()}
    return out
