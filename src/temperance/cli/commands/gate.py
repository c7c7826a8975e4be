"""``temperance gate``: let a model through or not, for continuous integration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from temperance.cli import options
from temperance.cli.commands.evaluate import By, Suite, run
from temperance.cli.console import Console
from temperance.cli.guard import FAILED

if TYPE_CHECKING:
    from temperance.cli.vetting import Asked


def gate(
    model: options.Model,
    data: options.Data,
    require: Annotated[str, typer.Option("--require", metavar="BOUNDS", help=options.REQUIRE_HELP)],
    target: options.Target = None,
    task: options.VettedTask = "auto",
    suite: Annotated[Suite, typer.Option("--suite", help="How much to measure: more takes longer.")] = Suite.quick,
    by: Annotated[By, typer.Option("--by", help=options.BY_HELP)] = By.interval,
    group: options.VettedGroup = None,
    time_column: options.VettedTime = None,
    weight: options.Weight = None,
    cost: options.Costs = None,
    rules: options.Rules = None,
    uses: options.Uses = None,
    once: options.Once = False,
    budget: options.VettingBudget = None,
    column: options.Columns = None,
    na_values: options.NaValues = None,
    sheet: options.Sheet = None,
    sep: options.Sep = None,
    schema: options.SchemaFile = None,
    seed: options.Seed = 0,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Also write gate.json and gate.md.")] = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Let a model through where it meets every requirement; else end with status 1 and say why.

    Rows that the model learned from do not count. By default the cautious end of the interval must hold: luck on few
    rows does not pass. Of the models of several targets all must pass, or the one that --target names. Exit status: 0
    met, 1 not met, 2 a model, data or requirement that cannot be used.
    """
    from temperance.cli import vetting
    from temperance.data.choices import choose
    from temperance.records.atomic import write_text
    from temperance.records.plain_json import dumps

    vetting.check_out(out)
    choices = choose(column or (), na_values=na_values, sheet=sheet, sep=sep, schema=schema)
    asked = vetting.Asked(data, choices, target, task, group, time_column, weight)
    how = {
        "suite": suite.value, "aspects": None, "cost": cost, "require": require, "by": by.value, "uses": uses,
        "once": once, "budget": budget, "seed": seed, "rules": rules,
    }  # fmt: skip
    parts = vetting.parts_of(model if target is None else vetting.one_of(model, target))
    found = [_held(place, asked, how, out if len(parts) == 1 or out is None else out / Path(place).name)
             for _, place in parts]  # fmt: skip
    met = all(value["met"] for value, _ in found)
    if len(parts) == 1:
        (value, lines) = found[0]
        lines.append("The model passes." if met else "The model does not pass.")
    else:
        outputs = {own: value for (own, _), (value, _) in zip(parts, found, strict=True)}
        value = {"met": met, "by": by.value, "data": data, "seed": seed, "outputs": outputs}
        lines = [line for (own, _), (_, said) in zip(parts, found, strict=True)
                 for line in (f"{own}:", *(f"  {one}" for one in said))]  # fmt: skip
        if out is not None:
            value["paths"] = {"gate": str(out / "gate.json")}
            write_text(out / "gate.json", dumps(value, indent=1))
        fails = [own for own, one in outputs.items() if not one["met"]]
        lines.append("All models pass." if met else f"Not all models pass: {', '.join(fails)} does not.")
    Console(as_json, quiet).result(value, "\n".join(lines))
    if not met:
        if quiet and not as_json:
            Console().warn("\n".join(v["why"] for one, _ in found for v in one["requirements"] if not v["met"]))
        raise typer.Exit(FAILED)


def _held(place: str, asked: Asked, how: dict[str, Any], out: Path | None) -> tuple[dict[str, Any], list[str]]:
    """Hold one model against the requirements; return the result as one JSON value, and as lines."""
    from temperance.cli import vetting
    from temperance.evaluation.vetting_page import page

    with vetting.given([place], asked) as (one,):
        done, verdicts, extra = run(one, **how)
    value = {
        "met": all(v.met for v in verdicts), "by": how["by"], "model": done.subject.place,
        "version": done.subject.version, "data": asked.data, "n": done.evaluation.n, "own_rows": done.own.to_dict(),
        "seed": how["seed"], "notes": [*one.notes, *done.subject.notes, *extra],
        "requirements": [v.to_dict() for v in verdicts],
    }  # fmt: skip
    if out is not None:
        text = page(done, data=asked.data, notes=[*one.notes, *extra], verdicts=verdicts)
        value["paths"] = vetting.write_results(out, "gate", value, text)
    lines = [*done.subject.notes, *extra, *done.own.sentences()]
    return value, [*lines, *(f"{'Met' if v.met else 'NOT MET'}: {v.why}" for v in verdicts)]
