"""The first page: bring a file, pick one, or take an example; and the studies of the folder."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from temperance.app import pages
from temperance.app.desk import Desk, to
from temperance.app.examples import EXAMPLES, Example, example
from temperance.app.folders import Entry
from temperance.app.pictures import holds_pictures, unpack
from temperance.app.places import tame
from temperance.app.project import Project, home
from temperance.records.errors import DataError


@dataclass(frozen=True)
class StartPages:
    """The first page, and what it can begin."""

    desk: Desk

    async def index(self, request: Request) -> Response:
        """Show the ways in and the studies."""
        entries = await asyncio.to_thread(self.desk.studies.entries)
        names = [path.name for path in await asyncio.to_thread(self.desk.studies.place.data)]
        return self.desk.page("home", entries=entries, names=names, examples=EXAMPLES, largest=self.desk.rules.largest)

    async def studies(self, request: Request) -> Response:
        """Give the studies as JSON."""
        return JSONResponse({"studies": [entry.to_dict() for entry in self.desk.studies.entries()]})

    async def events(self, request: Request) -> Response:
        """Send the list of studies whenever it changes."""

        def look() -> tuple[str, bool]:
            entries = self.desk.studies.entries()
            return pages.page("studies", entries=entries), all(entry.is_over for entry in entries)

        return StreamingResponse(self.desk.stream.run(look, request.is_disconnected), media_type="text/event-stream")

    async def upload(self, request: Request) -> Response:
        """Take a file.

        Raises:
            DataError: none was sent.

        """
        form = await self.desk.form(request)
        sent = form.files.get("file")
        if sent is None:
            raise DataError("no file was chosen", "a table, or a zip with a folder of images for each class",
                            "Go back and choose a file")  # fmt: skip
        name = tame(sent.filename or "")
        folder = self.desk.studies.place.free(Path(name).name.split(".")[0])
        name = (await asyncio.to_thread(kept, sent, home(folder) / "data" / name)).name
        Project(sent.filename or name, {"kind": "upload", "name": name}).save(folder)
        return to(folder.name, "data")

    async def pick(self, request: Request) -> Response:
        """Take a file of the folder."""
        form = await self.desk.form(request)
        path = await asyncio.to_thread(self.desk.studies.place.picked, form.texts.get("file", ""))
        folder = self.desk.studies.place.free(path.stem if path.is_file() else path.name)
        Project(path.name, {"kind": "file", "name": path.name}).save(folder)
        return to(folder.name, "data")

    async def take(self, request: Request) -> Response:
        """Take an example.

        Raises:
            DataError: there is none of this key.

        """
        await self.desk.form(request)
        chosen = example(request.path_params["key"])
        if chosen is None:
            raise DataError("there is no such example", ", ".join(one.key for one in EXAMPLES), "Choose one of them")
        folder = self.desk.studies.place.free(chosen.key)
        await asyncio.to_thread(begin, chosen, folder)
        return to(folder.name, "data")

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        return [
            Route("/", self.index),
            Route("/api/studies", self.studies),
            Route("/events", self.events),
            Route("/upload", self.upload, methods=["POST"]),
            Route("/pick", self.pick, methods=["POST"]),
            Route("/example/{key}", self.take, methods=["POST"]),
        ]


def keep(sent: UploadFile, goal: Path) -> None:
    """Write an uploaded file, whole or not at all.

    Raises:
        DataError: the disk is full or cannot be written.

    """
    goal.parent.mkdir(parents=True, exist_ok=True)
    draft = goal.with_name(f".{goal.name}.part")
    try:
        with draft.open("wb") as file:
            shutil.copyfileobj(sent.file, file, 1 << 20)
        draft.replace(goal)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise DataError(
            f"the file could not be kept: {error.strerror or error}", "a folder with space that may be written",
            "Free some space, or start the app with another --dir",
        ) from error  # fmt: skip


def kept(sent: UploadFile, goal: Path) -> Path:
    """Write an uploaded file; a zip of pictures becomes a folder. What cannot be used leaves nothing behind."""
    keep(sent, goal)
    try:
        return unpack(goal) if holds_pictures(goal) else goal
    except DataError:
        goal.unlink(missing_ok=True)
        raise


def begin(chosen: Example, folder: Path) -> None:
    """Make the project of an example."""
    source = {"kind": "bundled", "name": chosen.bundled}
    if chosen.make is not None:
        source = {"kind": "upload", "name": chosen.name}
        goal = home(folder) / "data" / chosen.name
        goal.parent.mkdir(parents=True, exist_ok=True)
        goal.write_text(chosen.make(), encoding="utf-8")
    test = {"kind": "bundled", "name": chosen.test} if chosen.test else {}
    options = dict(chosen.options)
    Project(chosen.title, source, target=chosen.target, test=test, options=options, example=chosen.key).save(folder)


def _link(old: Path, new: Path) -> None:
    try:
        new.hardlink_to(old)
    except OSError:  # another disk, or a system without links
        shutil.copyfile(old, new)


def copied(entry: Entry, project: Project, folder: Path) -> Project:
    """Make a project for another study of the same data, in a new folder; its file is linked, or copied."""
    if project.source["kind"] == "upload":
        name = Path(project.source["name"]).name
        old, new = home(entry.path) / "data" / name, home(folder) / "data" / name
        new.parent.mkdir(parents=True, exist_ok=True)
        if old.is_dir():
            shutil.copytree(old, new)
        else:
            _link(old, new)
    made = project.changed(asked=0.0, more="")
    made.save(folder)
    return made
