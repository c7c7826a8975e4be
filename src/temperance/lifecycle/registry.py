"""A registry in a folder: numbered versions of a model, names that point at them, and the way back.

``FOLDER/registry.json`` (schema 1) holds ``versions``, ``aliases`` and ``history``; ``FOLDER/versions/N/bundle`` the
bundles, copied in whole and never changed. Plain files: a folder can be copied and read without this package.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from temperance.deployment import load
from temperance.deployment.manifest import check_manifest, read_json
from temperance.lifecycle.registry_form import fault as registry_fault
from temperance.records.atomic import write_text
from temperance.records.errors import BundleError, SettingError
from temperance.records.plain_json import dumps
from temperance.records.plain_names import is_plain

SCHEMA, FILE = 1, "registry.json"
CHAMPION = "champion"


class Registry:
    """Versions of one model in ``folder``.

    Args:
        folder: of the registry; made by ``add`` where it is missing.
        clock: wall clock of the entries.

    """

    def __init__(self, folder: str | Path, *, clock: Callable[[], float] = time.time) -> None:
        self.folder, self._clock = Path(folder), clock

    def read(self) -> dict[str, Any]:
        """Return what ``registry.json`` holds.

        Raises:
            BundleError: there is none, or it is damaged or newer.

        """
        path = self.folder / FILE
        if not path.is_file():
            raise BundleError(
                f"{str(self.folder)!r} is no registry", f"a folder with {FILE}", "Begin one: temperance registry add"
            )
        found = read_json(path)
        if found.get("schema") != SCHEMA or not {"versions", "aliases", "history"} <= set(found):
            raise BundleError(f"{str(path)!r} is not complete, or newer", f"schema {SCHEMA}", "Update temperance")
        if fault := registry_fault(found):
            raise BundleError(
                f"{str(path)!r} is damaged: {fault}", "what temperance registry wrote", "Restore the file"
            )
        return found

    def add(self, bundle: str | Path, *, alias: str = "", note: str = "", why: str = "") -> dict[str, Any]:
        """Copy a bundle in as the next version, and point ``alias`` at it where one is given.

        A bundle whose files are those of a version that is there already is not copied again.

        Returns:
            The entry of the version.

        Raises:
            BundleError: the bundle is damaged.
            SettingError: the name of the alias.

        """
        source = Path(bundle)
        loaded = load(source)
        digest = _digest(source)
        _check_alias(alias or CHAMPION)
        with self._changed() as content:
            entry = next((v for v in content["versions"] if v["files"] == digest), None)
            if entry is None:
                number = 1 + max((v["number"] for v in content["versions"]), default=0)
                self._copy(source, number)
                entry = {
                    "number": number, "name": loaded.name, "version": loaded.version, "files": digest,
                    "added": self._now(), "from": str(source), "note": note, "task": loaded.task,
                    "data": str(loaded.card.get("details", {}).get("data", "")),
                }  # fmt: skip
                content["versions"].append(entry)
            if alias:
                self._point(content, alias, entry["number"], why or "added")
        return dict(entry)

    def alias(self, name: str, number: int, *, why: str = "") -> dict[str, Any]:
        """Point a name at a version; return the registry.

        Raises:
            SettingError: a name that is none, or a version that is not there.
            BundleError: the files of the version were changed.

        """
        _check_alias(name)
        with self._changed(must_exist=True) as content:
            self._checked(self._known(content, number))
            self._point(content, name, number, why or "asked for")
        return content

    def rollback(self, name: str = CHAMPION, *, why: str = "") -> dict[str, Any]:
        """Point a name at the version it stood for before; calling it again goes one further back.

        Raises:
            SettingError: there is no version before.
            BundleError: the files of that version were changed.

        """
        with self._changed(must_exist=True) as content:
            trail = _trail(content, name)
            if len(trail) < 2:
                raise SettingError(
                    f"{name!r} has stood for no version before", "a name that was moved at least once",
                    "See temperance registry list",
                )  # fmt: skip
            self._checked(self._known(content, trail[-2]))
            self._point(content, name, trail[-2], why or "rolled back", event="rollback")
        return content

    def bundle(self, name: str = CHAMPION) -> Path:
        """Return the folder of the bundle that an alias, or a number, means; its files are checked.

        Raises:
            SettingError: no such alias or version.
            BundleError: the files were changed.

        """
        content = self.read()
        if name in content["aliases"]:
            number = content["aliases"][name]
        elif name.isdecimal():
            number = int(name)
        else:
            known = ", ".join(sorted(content["aliases"])) or "none yet"
            raise SettingError(f"no alias {name!r}", f"one of {known}, or the number of a version", "Check the name")
        return self._checked(self._known(content, number))

    # -- parts --------------------------------------------------------------------------------------------------------

    def _checked(self, entry: dict[str, Any]) -> Path:
        """Return the folder of a version whose files are those that were added."""
        folder = self._place(entry["number"])
        if _digest(folder) != entry["files"]:
            raise BundleError(f"version {entry['number']} is not what was added", "its own files", "Add it again")
        return folder

    @contextmanager
    def _changed(self, *, must_exist: bool = False) -> Iterator[dict[str, Any]]:
        """Hold the folder, give its content to be changed, and write it whole."""
        if must_exist:
            self.read()
        taken = [p.name for p in self.folder.iterdir()] if self.folder.is_dir() else []
        if taken and FILE not in taken and set(taken) - {"lock", "versions"}:
            raise SettingError(
                f"{str(self.folder)!r} holds other files", "a new folder, or a registry", "Choose another folder"
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = (self.folder / "lock").open("w")
        except OSError as error:
            raise SettingError(
                f"the registry cannot be written: {error}", "a folder that can be written", "Choose another"
            ) from error
        with file:
            _hold(file)
            content = (
                self.read() if (self.folder / FILE).exists()
                else {"schema": SCHEMA, "versions": [], "aliases": {}, "history": []}
            )  # fmt: skip
            yield content
            write_text(self.folder / FILE, dumps(content, indent=1) + "\n")

    def _copy(self, source: Path, number: int) -> None:
        """Copy the files of the manifest, whole or not at all."""
        place = self._place(number)
        place.parent.parent.mkdir(exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".adding-", dir=place.parent.parent))
        try:
            inside = temporary / "bundle"
            inside.mkdir()
            for name in [*check_manifest(source)["files"], "manifest.json"]:
                shutil.copyfile(source / name, inside / name)
            load(inside, verify=False)
            shutil.rmtree(place.parent, ignore_errors=True)  # left over where an earlier copy was cut short
            temporary.chmod(0o755)
            os.replace(temporary, place.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _place(self, number: int) -> Path:
        return self.folder / "versions" / str(int(number)) / "bundle"

    def _known(self, content: dict[str, Any], number: int) -> dict[str, Any]:
        for entry in content["versions"]:
            if entry["number"] == number:
                return dict(entry)
        known = ", ".join(str(v["number"]) for v in content["versions"]) or "none yet"
        raise SettingError(f"no version {number}", f"one of {known}", "See temperance registry list")

    def _point(self, content: dict[str, Any], name: str, number: int, why: str, *, event: str = "alias") -> None:
        before = content["aliases"].get(name)
        if before == number and event == "alias":
            return
        content["aliases"][name] = number
        row = {"event": event, "alias": name, "from": before, "to": number, "why": why, "time": self._now()}
        content["history"].append(row)

    def _now(self) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._clock()))


def _trail(content: dict[str, Any], name: str) -> list[int]:
    """Return the versions that a name stood for, those that were rolled back taken off again."""
    trail: list[int] = []
    for row in content["history"]:
        if row["alias"] == name:
            if row["event"] == "rollback":
                trail.pop()
            else:
                trail.append(row["to"])
    return trail


def _check_alias(name: str) -> None:
    if not is_plain(name, letters="any") or name.isdecimal():
        raise SettingError(f"an alias {name[:80]!r}", "a plain word that is no number", "Choose another name")


def _digest(folder: Path) -> str:
    """Return what the manifest says of the bundle's files, as text that is equal for equal files."""
    return json.dumps(check_manifest(folder)["files"], sort_keys=True)


def _hold(file: Any) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: two commands at once could overwrite each other; it is not caught there
        return
    fcntl.flock(file, fcntl.LOCK_EX)
