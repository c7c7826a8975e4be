"""``temperance serve``: answer requests over HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from temperance.cli import options
from temperance.cli.console import Console
from temperance.cli.models import bundle_folder
from temperance.records.errors import SettingError


class Level(StrEnum):
    """What the server does beside answering."""

    off = "off"
    observe = "observe"
    shadow = "shadow"
    adapt = "adapt"


def serve(
    bundle: options.BundleFolder,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; the default is reached from this machine only.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 picks a free one.")] = 8000,
    level: Annotated[
        Level,
        typer.Option(
            "--level",
            help="off: only answer. observe: watch for drift. shadow: also reckon what adapting would do. "
            "adapt: do it, behind a guard.",
        ),
    ] = Level.observe,
    state: Annotated[
        str | None,
        typer.Option(
            "--state",
            metavar="DIR",
            help="Where drift, labels and the guard's log outlive a restart; none: nowhere.",
            show_default="BUNDLE.state beside the bundle",
        ),
    ] = None,
    token: Annotated[
        str,
        typer.Option("--token", envvar="TEMPERANCE_TOKEN", help="For /admin; made and told at the start if left out."),
    ] = "",
    workers: Annotated[
        int,
        typer.Option("--workers", min=1, max=64, help="Processes that answer; one monitor sees what all of them do."),
    ] = 1,
    tls_cert: Annotated[
        str | None, typer.Option("--tls-cert", metavar="FILE", help="HTTPS: certificate (PEM), with --tls-key.")
    ] = None,
    tls_key: Annotated[
        str | None, typer.Option("--tls-key", metavar="FILE", help="HTTPS: its private key (PEM), without a password.")
    ] = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Answer requests over HTTP until Ctrl-C.

    POST /predict takes JSON rows; /v2 speaks the Open Inference Protocol; GET /docs describes all; GET /health and
    /metrics tell how it is. POST /admin/reload, with the token, serves the bundle that lies in the folder by then.
    The server loads no PyTorch.
    """
    from temperance.deployment.serve import run
    from temperance.deployment.serve.secured import Secured

    if (tls_cert is None) != (tls_key is None):
        raise SettingError("one of --tls-cert and --tls-key", "both, or neither", "Give the other one too")
    secured = None if tls_cert is None or tls_key is None else Secured(tls_cert, tls_key)

    folder = bundle_folder(bundle)
    place = None if state == "none" or level is Level.off else state or beside(folder)
    run(
        folder, host=host, port=port, level=level.value, state=place, token=token, workers=workers, secured=secured,
        announce=_announce(Console(as_json, quiet)),
    )  # fmt: skip


def beside(folder: Path) -> Path:
    """Return the folder of the state of a bundle: a bundle itself is never written to."""
    whole = folder.resolve()
    return whole.with_name(f"{whole.name}.state")


def _announce(console: Console) -> Callable[[str], None]:
    def say(line: str) -> None:
        found = re.search(r"https?://\S+", line)
        console.result({"status": "serving", "url": found[0] if found else None}, line)
        typer.get_text_stream("stdout").flush()

    return say
