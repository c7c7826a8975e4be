"""``temperance app``: everything in a browser, for people who bring a file."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated

import typer

from temperance.cli import options
from temperance.cli.console import Console
from temperance.cli.quantities import bytes_of


def app(
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="The folder for data and studies; it is made if missing.")
    ] = Path(),
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65535, help="Port; 0 picks a free one.", show_default="8765, or the next"),
    ] = None,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; another than this machine's asks for a token.")
    ] = "127.0.0.1",
    browser: Annotated[bool, typer.Option("--open/--no-open", help="Open it in the browser.")] = True,
    token: Annotated[
        bool, typer.Option("--token", help="Ask for a token on this machine too, where others use it as well.")
    ] = False,
    max_upload: Annotated[
        str, typer.Option("--max-upload", metavar="SIZE", help="The largest file that may be uploaded.")
    ] = "1GB",
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Do it all in a browser: bring a file, check it, study it, try and take the model.

    Everything stays on this machine; nothing is downloaded. Ctrl-C ends the app; studies that run go on.
    """
    from temperance.app.serving import Served, serve

    known, largest = known_options(), int(bytes_of(max_upload))
    where = Served(folder, host=host, port=port, token=token, largest=largest, known=known)
    console = Console(as_json, quiet)

    def announce(address: str) -> None:
        console.result({"status": "serving", "url": address}, f"Open {address} (stop with Ctrl-C)")
        typer.get_text_stream("stdout").flush()

    serve(where, announce=announce, browser=browser and not as_json)


def known_options() -> frozenset[str]:
    """Return the options of ``temperance study``: the app offers no other."""
    from temperance.cli.commands.study import study

    return frozenset(name.replace("_", "-") for name in inspect.signature(study).parameters)
