"""``temperance registry``: versions of a model in a folder, names that point at them, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from temperance.cli import options
from temperance.cli.console import Console, table
from temperance.cli.models import bundle_folder
from temperance.records.errors import SettingError

ACTIONS = ("add", "list", "alias", "rollback", "path")


def registry(
    action: Annotated[str, typer.Argument(metavar="ACTION", help=f"One of {', '.join(ACTIONS)}.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the registry; add makes it.")],
    item: Annotated[
        str | None,
        typer.Argument(
            metavar="ITEM",
            help="add: a bundle, or the folder of a study or a retraining; alias: the number of a version.",
        ),
    ] = None,
    alias: Annotated[
        str | None, typer.Option("--alias", metavar="NAME", help="The name in question; rollback and path: champion.")
    ] = None,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="add: what to remember of this version.")] = "",
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Why a name is moved; kept in the history.")] = "",
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Keep versions of a model in a folder.

    add copies a bundle in as the next version; alias points a name at a version; rollback points it at the one before;
    path prints where the bundle of a name lies, for `temperance serve`; list shows all.
    """
    from temperance.lifecycle import Registry

    found = Registry(folder)
    console = Console(as_json, quiet)
    if action == "add":
        place = bundle_folder(Path(_needed(item, "a bundle", "temperance registry add DIR BUNDLE")))
        entry = found.add(place, alias=alias or "", note=note, why=why)
        named = f", {alias}" if alias else ""
        console.result(entry, f"Version {entry['number']} of {entry['name']} ({entry['version']}{named})")
    elif action == "list":
        value = found.read()
        console.result(value, listed(value))
    elif action == "alias":
        number = _number(_needed(item, "the number of a version", "temperance registry alias DIR 2 --alias champion"))
        value = found.alias(_needed(alias, "--alias", "Add --alias NAME"), number, why=why)
        console.result(value, listed(value))
    elif action == "rollback":
        value = found.rollback(alias or "champion", why=why)
        console.result(value, listed(value))
    elif action == "path":
        place = found.bundle(alias or item or "champion")
        console.result({"bundle": str(place)}, str(place))
    else:
        raise SettingError(f"the action {action[:80]!r}", f"one of {', '.join(ACTIONS)}", "temperance registry --help")


def listed(value: dict[str, Any]) -> str:
    """Return versions with their names, and the last moves."""
    names: dict[int, list[str]] = {}
    for name, number in value["aliases"].items():
        names.setdefault(number, []).append(name)
    rows: list[tuple[str, ...]] = [("version", "model", "added", "names", "note")]
    for one in value["versions"]:
        own = ", ".join(sorted(names.get(one["number"], [])))
        rows.append((str(one["number"]), f"{one['name']} {one['version']}", one["added"], own, one["note"]))
    moves = [f"  {m['time']}  {m['alias']}: {m['from'] or '–'} → {m['to']} ({m['why']})" for m in value["history"][-5:]]
    return "\n".join([table(rows), *(["", "Last moves", *moves] if moves else [])])


def _needed(value: str | None, what: str, remedy: str) -> str:
    if not value:
        raise SettingError(f"{what} is missing", what, remedy)
    return value


def _number(text: str) -> int:
    if not text.isdecimal():
        raise SettingError(f"a version {text[:80]!r}", "a whole number", "See temperance registry list")
    return int(text)
