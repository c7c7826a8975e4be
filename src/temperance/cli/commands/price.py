"""``temperance price``: what each technique costs on this machine."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from temperance.cli import options
from temperance.cli.console import Console, table


def price(
    recipe: Annotated[
        str | None,
        typer.Argument(metavar="RECIPE", help="A TOML file, or names with commas: SAM,EMA. All by default."),
    ] = None,
    task: Annotated[str | None, typer.Option("--task", help="Your own net, module:function.")] = None,
    data: Annotated[
        str | None, typer.Option("--data", metavar="DATA", help="Take the batch from these data, as in a study.")
    ] = None,
    target: options.Target = None,
    rows: Annotated[int, typer.Option("--rows", min=2, help="Rows of the batch.")] = 256,
    features: Annotated[int, typer.Option("--features", min=1, help="Numeric inputs of the batch.")] = 64,
    classes: Annotated[int, typer.Option("--classes", min=2, help="Classes.")] = 10,
    steps: Annotated[int, typer.Option("--steps", min=3, help="Pairs of steps that are timed.")] = 40,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure what techniques cost on this machine.

    Each is timed step by step against the plain step, in turn. The ratio is the median of the pairs, with the middle
    half of them beside it. The batch is rows of --data, or the batch that your Task brings, or random rows.
    """
    bench = _bench(task, data=data, target=target, rows=rows, features=features, classes=classes)
    found, refused, notes = measured(recipe, bench, steps=steps)
    console = Console(as_json, quiet)
    for name, said in notes.items():
        console.note(f"{name}: {said}")
    for name, why in refused.items():
        console.warn(f"{name} left out: {why}")
    console.result(found, listed(found))


def measured(
    recipe: str | None, bench: Any, *, steps: int
) -> tuple[list[dict[str, Any]], dict[str, str], dict[str, str]]:
    """Return the prices, what could not be priced on this net with the reason, and what techniques warned of.

    Raises:
        TaskError: the net cannot take a plain step on its batch.

    """
    import torch

    from temperance.core.price import price_recipe
    from temperance.core.readings import NeverBegan
    from temperance.records.errors import TemperanceError

    torch.set_num_threads(1)
    wanted, everything = _recipes(recipe)
    bench.try_out()
    found: list[dict[str, Any]] = []
    refused: dict[str, str] = {}
    notes: dict[str, str] = {}
    for one in wanted:
        try:
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                prices = price_recipe(
                    one, bench.model, bench.batch, loss=bench.loss, optimizer=bench.optimizer, steps=steps
                )
        except TemperanceError as fault:
            if not everything:
                raise
            refused[_named(one)] = str(fault)
            continue
        except (RuntimeError, TypeError, ValueError, IndexError, KeyError, AttributeError) as fault:
            if not everything:  # the net took a plain step, so this technique cannot work on it, and says why itself
                raise
            said = next(iter(str(fault).splitlines()), "it gave no reason")
            refused[_named(one)] = f"It failed on this net with {type(fault).__name__}: {said}"
            continue
        found += [row.to_dict() for row in prices]
        warned = {
            str(row.message) for row in told if not issubclass(row.category, NeverBegan)
        }  # a few steps begin little
        if warned:
            notes[_named(one)] = " ".join(sorted(warned))
    return found, refused, notes


def listed(found: list[dict[str, Any]]) -> str:
    """Return the prices as a table."""
    lines: list[tuple[str, ...]] = []
    head = ("technique", "ms a step", "times plain", "middle half", "backward passes", "kept", "prediction")
    lines.append(head)
    for row in found:
        lines.append((
            row["name"], f"{row['ms_per_step']:.3g}", f"{row['ratio']:.2f}",
            f"{row['ratio_low']:.2f} to {row['ratio_high']:.2f}", f"{row['backwards']:g}",
            f"{row['memory_bytes'] / 1e6:.3g} MB", f"{row['inference_ratio']:.2f} x",
        ))  # fmt: skip
    return table(lines)


def _named(recipe: Any) -> str:
    return ", ".join(type(one).__name__ for one in recipe.regularizers)


def _bench(task: str | None, *, data: str | None, target: str | None, rows: int, features: int, classes: int) -> Any:
    from temperance.study import bench

    if data is not None:
        return bench.of_data(data, target, task=task or "", rows=rows)
    return bench.of_random(task or "", rows=rows, features=features, classes=classes)


def _recipes(text: str | None) -> tuple[list[Any], bool]:
    import temperance.regularizers  # noqa: F401  # fills the registry
    from temperance.core.recipe import Recipe
    from temperance.core.regularizer import techniques
    from temperance.records.errors import DataError

    if text is None:
        return [Recipe(sample) for _, cls in techniques.items() for sample in list(cls.samples())[:1]], True
    if text.endswith(".toml"):
        path = Path(text)
        if not path.is_file():
            raise DataError(
                f"there is no file {text!r}", "a recipe in TOML, as `Recipe.to_toml` writes it", "Check the path"
            )
        return [Recipe.from_toml(path.read_text(encoding="utf-8"))], False
    return [Recipe(*(techniques[name.strip()]() for name in text.split(",") if name.strip()))], False
