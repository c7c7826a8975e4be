"""The pages on a model that was found: try it, take it away, watch it while it is served."""

from __future__ import annotations

import asyncio
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
from temperance.app.start_pages import keep
from temperance.app.taking import BUNDLE, PREDICTIONS, bundle_files, offered, pack, predictions
from temperance.app.trying import answer, answer_image, boxes, bundle_of
from temperance.app.watching import Health, Server, address_of, ask
from temperance.records.errors import DataError, TemperanceError
from temperance.report.page import read as read_study


def routes(desk: Desk) -> list[Route]:
    """Return the routes of the pages on a model."""

    async def form_of(entry: Entry, **more: Any) -> Response:
        bundle = await asyncio.to_thread(bundle_of, entry.path)
        profile = (read_study(entry.path).get("data") or {}).get("profile") or {}
        told: dict[str, Any] = {"answer": None, "given": {}, "job": predict_job(entry), "error": None, **more}
        made = predictions(desk.studies.place, entry.path)
        return desk.page(
            "try", entry=entry, step="try", fields=boxes(bundle, profile), schema=bundle.schema, made=made, **told
        )

    async def trying(request: Request) -> Response:
        return await form_of(_with_model(desk, request))

    async def one(request: Request) -> Response:
        entry = _with_model(desk, request)
        form = await desk.form(request)
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
                return desk.page("answer", answer=None, error=told, schema=bundle.schema)
            return await form_of(entry, given=given, error=told)
        if part:
            return desk.page("answer", answer=found, schema=bundle.schema)
        return await form_of(entry, answer=found, given=given)

    async def several(request: Request) -> Response:
        entry = _with_model(desk, request)
        form = await desk.form(request)
        sent, job = form.files.get("file"), predict_job(entry)
        if sent is None or job.is_alive:
            what = "no file was chosen" if sent is None else "another file is being answered"
            return await form_of(entry, error=[what, "one file of rows at a time", "Choose a file, or wait a moment"])
        name = tame(sent.filename or "")
        place = home(entry.path) / PREDICTIONS
        await asyncio.to_thread(keep, sent, place / "rows" / name)
        root = desk.studies.root
        told = {"bundle": entry.path / "bundle", "rows": place / "rows" / name, "out": place / f"{Path(name).stem}.csv"}
        words = {key: path.relative_to(root).as_posix() for key, path in told.items()}
        job.start(["predict", words["bundle"], words["rows"], f"--out={words['out']}", "--json"], root)
        await asyncio.to_thread(_patience, job, 20.0)
        return to(entry, "try#file")

    async def take(request: Request) -> Response:
        entry = desk.found(request)
        place = desk.studies.place
        files, made = offered(place, entry.path), predictions(place, entry.path)
        return desk.page("take", entry=entry, step="take", files=files, made=made)

    async def file(request: Request) -> Response:
        entry, name = desk.found(request), request.path_params["file"]
        place = desk.studies.place
        if name == BUNDLE and bundle_files(place, entry.path):
            packed = await asyncio.to_thread(pack, place, entry.path)
            gone = BackgroundTask(packed.unlink, missing_ok=True)
            return FileResponse(packed, filename=f"{entry.name}-bundle.zip", background=gone)
        known = [one for one in offered(place, entry.path) if one.name == name and name != BUNDLE]
        path = place.file(entry.path, name) if known else None
        if path is None:
            raise HTTPException(404)
        return FileResponse(path, media_type=known[0].kind, filename=f"{entry.name}-{name}")

    async def predicted(request: Request) -> Response:
        entry, name = desk.found(request), request.path_params["file"]
        known = [one.name for one in predictions(desk.studies.place, entry.path)]
        if name not in known:
            raise HTTPException(404)
        return FileResponse(home(entry.path) / PREDICTIONS / name, media_type="text/csv", filename=f"predictions-{name}")

    return [
        Route("/study/{name}/try", trying),
        Route("/study/{name}/try", one, methods=["POST"]),
        Route("/study/{name}/try/file", several, methods=["POST"]),
        Route("/study/{name}/take", take),
        Route("/study/{name}/take/{file}", file),
        Route("/study/{name}/predictions/{file}", predicted),
        *_watch_routes(desk),
    ]


def _watch_routes(desk: Desk) -> list[Route]:
    async def watch(request: Request) -> Response:
        entry = _with_model(desk, request)
        told = await asyncio.to_thread(served, entry)
        return desk.page("watch", entry=entry, step="watch", **told)

    async def start(request: Request) -> Response:
        entry = _with_model(desk, request)
        await desk.form(request)
        server = Server(entry.path)
        await asyncio.to_thread(server.start, desk.studies.root)
        await asyncio.to_thread(server.wait)
        return to(entry, "watch")

    async def stop(request: Request) -> Response:
        entry = _with_model(desk, request)
        await desk.form(request)
        job = Server(entry.path).job
        await asyncio.to_thread(job.stop)
        await asyncio.to_thread(_patience, job, 10.0)
        job.forget()
        return to(entry, "watch")

    async def events(request: Request) -> Response:
        entry = _with_model(desk, request)

        def look() -> tuple[str, bool]:
            told = served(entry)
            return pages.page("health", **told), not told["serving"]

        return StreamingResponse(desk.stream.run(look, request.is_disconnected), media_type="text/event-stream")

    async def follow(request: Request) -> Response:
        found = await asyncio.gather(*(asyncio.to_thread(asked, address) for address in desk.watched))
        return desk.page("follow", followed=list(zip(desk.watched, found, strict=True)))

    async def add(request: Request) -> Response:
        form = await desk.form(request)
        host, port = address_of(form.texts.get("address", ""))
        told = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        if form.texts.get("then") == "forget":
            desk.watched[:] = [one for one in desk.watched if one != told]
        elif told not in desk.watched:
            await asyncio.to_thread(ask, told)
            desk.watched.append(told)
        return RedirectResponse("/watch", status_code=303)

    return [
        Route("/study/{name}/watch", watch),
        Route("/study/{name}/watch/start", start, methods=["POST"]),
        Route("/study/{name}/watch/stop", stop, methods=["POST"]),
        Route("/study/{name}/watch/events", events),
        Route("/watch", follow),
        Route("/watch", add, methods=["POST"]),
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
        Server(entry.path).job.stop()


def _with_model(desk: Desk, request: Request) -> Entry:
    entry = desk.found(request)
    if not bundle_files(desk.studies.place, entry.path):
        raise HTTPException(404)
    return entry


def _patience(job: Job, seconds: float) -> None:
    """Wait a while for a job, so that short ones are over when the page is shown again."""
    import time

    end = time.monotonic() + seconds
    while job.is_alive and time.monotonic() < end:
        time.sleep(0.1)
