"""``temperance gate``: let a model through or not, for continuous integration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from temperance.cli import options
from temperance.cli.commands.evaluate import By, Suite, run
from temperance.cli.console import Console
from temperance.cli.guard import FAILED


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
    rows does not pass. Exit status: 0 met, 1 not met, 2 a model, data or requirement that cannot be used.
    """
    from temperance.cli import vetting
    from temperance.data.choices import choose
    from temperance.evaluation.vetting_page import page

    vetting.check_out(out)
    choices = choose(column or (), na_values=na_values, sheet=sheet, sep=sep, schema=schema)
    asked = vetting.Asked(data, choices, target, task, group, time_column, weight)
    with vetting.given([model], asked) as (one,):
        done, verdicts, extra = run(
            one, suite=suite.value, aspects=None, cost=cost, require=require, by=by.value, uses=uses, once=once,
            budget=budget, seed=seed, rules=rules,
        )  # fmt: skip
    met = all(v.met for v in verdicts)
    value = {
        "met": met, "by": by.value, "model": done.subject.place, "version": done.subject.version, "data": data,
        "n": done.evaluation.n, "own_rows": done.own.to_dict(), "seed": seed,
        "notes": [*one.notes, *done.subject.notes, *extra],
        "requirements": [v.to_dict() for v in verdicts],
    }  # fmt: skip
    if out is not None:
        text = page(done, data=data, notes=[*one.notes, *extra], verdicts=verdicts)
        value["paths"] = vetting.write_results(out, "gate", value, text)
    lines = [*done.subject.notes, *extra, *done.own.sentences()]
    lines += [f"{'Met' if v.met else 'NOT MET'}: {v.why}" for v in verdicts]
    lines.append("The model passes." if met else "The model does not pass.")
    Console(as_json, quiet).result(value, "\n".join(lines))
    if not met:
        if quiet and not as_json:
            Console().warn("\n".join(v.why for v in verdicts if not v.met))
        raise typer.Exit(FAILED)
