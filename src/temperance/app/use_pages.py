"""The pages on a model that was found: try it, take it away, watch it while it is served."""

from __future__ import annotations

import asyncio
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from temperance.app import pages
from temperance.app.desk import Desk, to
from temperance.app.folders import Entry, why_ended
from temperance.app.jobs import Job
from temperance.app.places import tame
from temperance.app.project import home
from temperance.app.start_pages import kept
from temperance.app.taking import BUNDLE, PREDICTIONS, bundle_files, offered, pack, predictions
from temperance.app.trying import answer, answer_image, boxes, bundle_of
from temperance.app.watching import Health, Server, address_of, ask
from temperance.records.errors import DataError, TemperanceError
from temperance.report.page import read as read_study


@dataclass(frozen=True)
class UsePages:
    """A model: tried and taken away."""

    desk: Desk

    async def form_of(self, entry: Entry, **more: Any) -> Response:
        """Show the form of one row, with an answer if there is one."""
        bundle = await asyncio.to_thread(bundle_of, entry.path)
        profile = (read_study(entry.path).get("data") or {}).get("profile") or {}
        told: dict[str, Any] = {"answer": None, "given": {}, "job": predict_job(entry), "error": None, **more}
        made = predictions(self.desk.studies.place, entry.path)
        return self.desk.page(
            "try", entry=entry, step="try", fields=boxes(bundle, profile), schema=bundle.schema, made=made, **told
        )

    async def trying(self, request: Request) -> Response:
        """Show the form of one row."""
        return await self.form_of(_with_model(self.desk, request))

    async def one(self, request: Request) -> Response:
        """Answer one row, or one picture; what cannot be answered is said beside the form.

        Raises:
            DataError: no picture was sent; it is caught here.

        """
        entry = _with_model(self.desk, request)
        form = await self.desk.form(request)
        given = {key[2:]: text for key, text in form.texts.items() if key.startswith("x.")}
        part = request.headers.get("x-part") == "answer"
        try:
            bundle = await asyncio.to_thread(bundle_of, entry.path)
            if bundle.schema.kind == "images":
                sent = form.files.get("file")
                if sent is None:
                    raise DataError("no picture was chosen", "one picture", "Choose a picture")
                found = await asyncio.to_thread(answer_image, bundle, await sent.read())
            else:
                found = await asyncio.to_thread(answer, bundle, given)
        except TemperanceError as error:
            told = [error.received, error.accepted, error.remedy]
            if part:
                return self.desk.page("answer", answer=None, error=told, schema=bundle.schema)
            return await self.form_of(entry, given=given, error=told)
        if part:
            return self.desk.page("answer", answer=found, schema=bundle.schema)
        return await self.form_of(entry, answer=found, given=given)

    async def several(self, request: Request) -> Response:
        """Answer a file of rows."""
        entry = _with_model(self.desk, request)
        form = await self.desk.form(request)
        sent, job = form.files.get("file"), predict_job(entry)
        if sent is None or job.is_alive:
            what = "no file was chosen" if sent is None else "another file is being answered"
            return await self.form_of(
                entry, error=[what, "one file of rows at a time", "Choose a file, or wait a moment"]
            )
        name = tame(sent.filename or "")
        place = home(entry.path) / PREDICTIONS
        await asyncio.to_thread(shutil.rmtree, place / "rows", ignore_errors=True)
        name = (await asyncio.to_thread(kept, sent, place / "rows" / name)).name
        root = self.desk.studies.root
        told = {"bundle": entry.path / "bundle", "rows": place / "rows" / name, "out": place / f"{Path(name).stem}.csv"}
        words = {key: path.relative_to(root).as_posix() for key, path in told.items()}
        job.start(["predict", words["bundle"], words["rows"], f"--out={words['out']}", "--json"], root)
        await asyncio.to_thread(_patience, job, 5.0)
        return to(entry, "try#file")

    async def answering(self, request: Request) -> Response:
        """Tell when a file of rows is answered."""
        job = predict_job(_with_model(self.desk, request))

        def look() -> tuple[str, bool]:
            alive = job.is_alive
            return '<p class="banner" role="status">The file is being answered.</p>' if alive else "", not alive

        return StreamingResponse(self.desk.stream.run(look, request.is_disconnected), media_type="text/event-stream")

    async def take(self, request: Request) -> Response:
        """Show what may be taken away."""
        entry = self.desk.found(request)
        place = self.desk.studies.place
        files, made = offered(place, entry.path), predictions(place, entry.path)
        return self.desk.page("take", entry=entry, step="take", files=files, made=made)

    async def file(self, request: Request) -> Response:
        """Give one file of a study."""
        entry, name = self.desk.found(request), request.path_params["file"]
        place = self.desk.studies.place
        if name == BUNDLE and bundle_files(place, entry.path):
            packed = await asyncio.to_thread(pack, place, entry.path)
            gone = BackgroundTask(packed.unlink, missing_ok=True)
            return FileResponse(packed, filename=f"{entry.name}-bundle.zip", background=gone)
        known = [one for one in offered(place, entry.path) if one.name == name and name != BUNDLE]
        path = place.file(entry.path, name) if known else None
        if path is None:
            raise HTTPException(404)
        return FileResponse(path, media_type=known[0].kind, filename=f"{entry.name}-{name}")

    async def predicted(self, request: Request) -> Response:
        """Give the answers to a file of rows."""
        entry, name = self.desk.found(request), request.path_params["file"]
        known = [one.name for one in predictions(self.desk.studies.place, entry.path)]
        if name not in known:
            raise HTTPException(404)
        return FileResponse(
            home(entry.path) / PREDICTIONS / name, media_type="text/csv", filename=f"predictions-{name}"
        )

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        return [
            Route("/study/{name}/try", self.trying),
            Route("/study/{name}/try", self.one, methods=["POST"]),
            Route("/study/{name}/try/file", self.several, methods=["POST"]),
            Route("/study/{name}/try/events", self.answering),
            Route("/study/{name}/take", self.take),
            Route("/study/{name}/take/{file}", self.file),
            Route("/study/{name}/predictions/{file}", self.predicted),
        ]


@dataclass(frozen=True)
class WatchPages:
    """A served model."""

    desk: Desk

    async def watch(self, request: Request) -> Response:
        """Show the server of a model."""
        entry = _with_model(self.desk, request)
        told = await asyncio.to_thread(served, entry)
        return self.desk.page("watch", entry=entry, step="watch", **told)

    async def start(self, request: Request) -> Response:
        """Start it."""
        entry = _with_model(self.desk, request)
        await self.desk.form(request)
        server = Server(entry.path)
        await asyncio.to_thread(server.start, self.desk.studies.root)
        await asyncio.to_thread(server.wait)
        return to(entry, "watch")

    async def stop(self, request: Request) -> Response:
        """Stop it."""
        entry = _with_model(self.desk, request)
        await self.desk.form(request)
        job = Server(entry.path).job
        await asyncio.to_thread(job.stop)
        await asyncio.to_thread(_patience, job, 10.0)
        job.forget()
        return to(entry, "watch")

    async def events(self, request: Request) -> Response:
        """Send how the server is whenever that changes."""
        entry = _with_model(self.desk, request)

        def look() -> tuple[str, bool]:
            told = served(entry)
            return pages.page("health", **told), not told["serving"]

        return StreamingResponse(self.desk.stream.run(look, request.is_disconnected), media_type="text/event-stream")

    async def follow(self, request: Request) -> Response:
        """Show the servers that are followed."""
        found = await asyncio.gather(*(asyncio.to_thread(asked, address) for address in self.desk.watched))
        return self.desk.page("follow", followed=list(zip(self.desk.watched, found, strict=True)))

    async def add(self, request: Request) -> Response:
        """Follow a server, or no more."""
        form = await self.desk.form(request)
        host, port = address_of(form.texts.get("address", ""))
        told = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        if form.texts.get("then") == "forget":
            self.desk.watched[:] = [one for one in self.desk.watched if one != told]
        elif told not in self.desk.watched:
            await asyncio.to_thread(ask, told)
            self.desk.watched.append(told)
        return RedirectResponse("/watch", status_code=303)

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        return [
            Route("/study/{name}/watch", self.watch),
            Route("/study/{name}/watch/start", self.start, methods=["POST"]),
            Route("/study/{name}/watch/stop", self.stop, methods=["POST"]),
            Route("/study/{name}/watch/events", self.events),
            Route("/watch", self.follow),
            Route("/watch", self.add, methods=["POST"]),
        ]


def predict_job(entry: Entry) -> Job:
    """Return the process that answers a file of rows."""
    return Job(home(entry.path), "predict")


def served(entry: Entry) -> dict[str, Any]:
    """Return how the server of a study's model is."""
    server = Server(entry.path)
    serving = server.job.is_alive
    told: dict[str, Any] = {"serving": serving, "address": server.address, "health": None, "why": "", "fault": ""}
    if serving and server.address:
        told |= asked(server.address)
    elif not serving and server.job.card is not None:
        told["why"] = why_ended(server.job)
    return told


def asked(address: str) -> dict[str, Any]:
    """Return what a served model says of itself, or why it says nothing."""
    try:
        health: Health | None = ask(address)
    except TemperanceError as error:
        return {"health": None, "fault": str(error)}
    return {"health": health, "fault": ""}


def stop_servers(desk: Desk) -> None:
    """Stop the servers that the app started: without it nobody would see them."""
    for entry in desk.studies.entries():
        job = Server(entry.path).job
        if job.stop():
            _patience(job, 3.0)
            job.forget()


def _with_model(desk: Desk, request: Request) -> Entry:
    entry = desk.found(request)
    if not bundle_files(desk.studies.place, entry.path):
        raise HTTPException(404)
    return entry


def _patience(job: Job, seconds: float) -> None:
    """Wait a while for a job, so that short ones are over when the page is shown again."""
    end = time.monotonic() + seconds
    while job.is_alive and time.monotonic() < end:
        time.sleep(0.1)
