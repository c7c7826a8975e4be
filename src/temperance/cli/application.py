"""Puts the commands together."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Annotated

import typer

from temperance.cli.commands.app import app as app_command
from temperance.cli.commands.audit import audit
from temperance.cli.commands.compare import compare
from temperance.cli.commands.demo import demo
from temperance.cli.commands.doctor import doctor
from temperance.cli.commands.evaluate import evaluate
from temperance.cli.commands.export import export
from temperance.cli.commands.gate import gate
from temperance.cli.commands.predict import predict
from temperance.cli.commands.presets import presets
from temperance.cli.commands.price import price
from temperance.cli.commands.registry import registry
from temperance.cli.commands.report import report
from temperance.cli.commands.retrain import retrain
from temperance.cli.commands.serve import serve
from temperance.cli.commands.share import share
from temperance.cli.commands.sign import sign
from temperance.cli.commands.stream import stream
from temperance.cli.commands.study import study
from temperance.cli.commands.techniques import techniques
from temperance.cli.commands.verify import verify
from temperance.cli.examples import epilog
from temperance.cli.guard import Started, guarded
from temperance.cli.once import Once
from temperance.records.version import __version__

COMMANDS = (
    app_command, study, demo, audit, evaluate, compare, gate, export, predict, serve, retrain, stream, registry,
    techniques, presets, price, report, share, sign, verify, doctor,
)  # fmt: skip


def build() -> typer.Typer:
    """Return the application with all commands."""
    app = typer.Typer(
        name="temperance",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for command in COMMANDS:
        app.command(command.__name__, cls=Once, epilog=epilog(command.__name__))(guarded(command))
    return app


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    started = Started(process=True) if arguments is None else Started(process=False, at=time.monotonic())
    try:
        build()(args=None if arguments is None else list(arguments), prog_name="temperance", obj=started)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    return 0


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"temperance {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_version),
    ] = False,
) -> None:
    """Find the regularization that makes a model generalise, prove what it bought, and ship the model.

    Start with `temperance demo`, or with `temperance study DATA --target COLUMN`.
    """
