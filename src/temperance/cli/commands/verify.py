"""``temperance verify``: is a bundle, or a shared study, what its papers say?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from temperance.cli import options
from temperance.cli.console import Console
from temperance.cli.guard import FAILED
from temperance.cli.models import bundle_folder
from temperance.records.errors import SettingError

if TYPE_CHECKING:
    from temperance.governance.provenance import Check

MARKS = {"holds": "ok      ", "fails": "FAILS   ", "not checked": "not done"}


def verify(
    place: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A bundle, the folder of a study, or one that `share` wrote.")
    ],
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help="Public key of the one who signed the bundle.")
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", metavar="FILE", help="The data it is said to be made from.")
    ] = None,
    test: Annotated[
        str | None, typer.Option("--test", metavar="FILE", help="With --replay: the second file, if there was one.")
    ] = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Of a shared study: run a trial again and compare it bit for bit.")
    ] = False,
    trial: Annotated[
        str | None,
        typer.Option("--trial", metavar="ID", help="With --replay: which one.", show_default="the quickest net"),
    ] = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Check a bundle or a shared study against its papers.

    Of a bundle: checksums, the answers to its golden rows, the provenance of each file, and with --key the signature.
    Of a shared study: the hash of each file, and with --replay a trial that is run again. Ends with 1 if one fails.
    """
    from temperance.lifecycle.sharing import INDEX

    console = Console(as_json, quiet)
    checks = (
        of_shared(place, key, console, replay=replay, trial=trial, data=data, test=test)
        if (place / INDEX).is_file()
        else of_bundle(place, key, replay=replay or trial is not None or test is not None, data=data)
    )
    value = {"folder": str(place), "checks": [check.to_dict() for check in checks]}
    console.result({**value, "holds": not any(c.state == "fails" for c in checks)}, text(checks))
    if any(check.state == "fails" for check in checks):
        raise typer.Exit(FAILED)


def of_bundle(place: Path, key: Path | None, *, replay: bool, data: str | None) -> list[Check]:
    """Verify a bundle, or each bundle of a folder for several targets.

    Raises:
        SettingError: options that are for a shared study.

    """
    from temperance.deployment.several import holds_several
    from temperance.lifecycle.verifying import verify_bundle, verify_several

    if replay:
        raise SettingError(
            f"--replay, --trial or --test with the bundle {str(place)!r}", "a folder that `temperance share` wrote",
            "To run a study again: temperance study --replay DIR",
        )  # fmt: skip
    folder, source = bundle_folder(place), None if data is None else Path(data)
    return (verify_several if holds_several(folder) else verify_bundle)(folder, key=key, data=source)


def of_shared(place: Path, key: Path | None, console: Console, *, replay: bool, **chosen: Any) -> list[Check]:
    """Verify a shared study.

    Raises:
        SettingError: options that are for a bundle, or for a replay that was not asked for.

    """
    from temperance.cli.progress import progress
    from temperance.lifecycle.repeating import verify_shared

    if key is not None:
        raise SettingError("--key with a shared study", "a bundle", "Only bundles are signed; leave --key out")
    if not replay and any(value is not None for value in chosen.values()):
        raise SettingError("--data, --test or --trial without --replay", "all with --replay", "Add --replay")
    if not replay:
        return verify_shared(place)
    with progress(quiet=console.quiet or console.as_json) as shown:
        return verify_shared(place, replay=True, progress=shown, **chosen)


def text(checks: list[Check]) -> str:
    """Return the outcome in words."""
    lines = [f"{MARKS[check.state]}  {check.name}: {check.words}" for check in checks]
    fails = sum(check.state == "fails" for check in checks)
    open_ = sum(check.state == "not checked" for check in checks)
    end = f"{fails} of {len(checks)} checks fail." if fails else "What was checked holds."
    return "\n".join([*lines, end + (f" {open_} not checked." if open_ else "")])
