"""``temperance sign``: an offline signature over the provenance of a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from temperance.cli import options
from temperance.cli.console import Console
from temperance.cli.models import bundle_folder
from temperance.records.errors import SettingError


def sign(
    place: Annotated[
        Path, typer.Argument(metavar="BUNDLE", help="A bundle, or the folder of the study that wrote it.")
    ],
    key: Annotated[Path | None, typer.Option("--key", metavar="FILE", help="Your private key (Ed25519, PEM).")] = None,
    new_key: Annotated[
        Path | None, typer.Option("--new-key", metavar="FILE", help="Make a key: FILE, and FILE.pub to hand out.")
    ] = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Sign the provenance of a bundle with a key of your own.

    No service is asked. Of several targets each bundle is signed. The signature goes into the bundle; others check it
    with `temperance verify --key FILE.pub`. Needs the extra 'sign'.
    """
    from temperance.deployment.several import holds_several, load_several
    from temperance.governance.signature import new_key as make
    from temperance.lifecycle.verifying import sign_bundle

    if (key is None) == (new_key is None):
        what = "neither --key nor --new-key" if key is None else "--key and --new-key together"
        raise SettingError(what, "one of the two", "Give your key with --key, or make one with --new-key")
    folder = bundle_folder(place)
    private = key or new_key
    assert private is not None
    public = make(private) if new_key is not None else None
    places = [folder / name for name, *_ in load_several(folder).parts] if holds_several(folder) else [folder]
    signed = [sign_bundle(place, private) for place in places]
    value: dict[str, Any] = {"key": str(private), "public_key": None if public is None else str(public)}
    value |= {"signature": str(signed[0])} if len(signed) == 1 else {"signatures": [str(one) for one in signed]}
    lines = [f"Signed: {one}" for one in signed]
    if public is not None:
        lines += [f"Your key: {private}. Keep it to yourself; it has no password.", f"Hand out: {public}"]
    Console(as_json, quiet).result(value, "\n".join(lines))
