"""The pages on one study: what it may cost, how it goes, what came of it."""

from __future__ import annotations

import asyncio
import shutil

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from temperance.app import pages
from temperance.app.data_pages import audit_job
from temperance.app.desk import Desk, to
from temperance.app.folders import Entry
from temperance.app.options import BUDGETS, budget_of, fields, options_of
from temperance.app.project import home, now
from temperance.app.reading import seen
from temperance.app.start_pages import copied
from temperance.app.story import SHOWN, story
from temperance.records.errors import StudyError
from temperance.study.clock import parse_budget


def routes(desk: Desk) -> list[Route]:
    """Return the routes of the pages on a study."""

    async def task_of(entry: Entry) -> str:
        if entry.project is None or not entry.project.target:
            return ""
        async with desk.reading:
            found = await asyncio.to_thread(seen, entry.project, entry.path, desk.studies.root)
        return str(found.get("task") or "")

    async def study(request: Request) -> Response:
        entry = desk.found(request)
        if entry.state == "draft" and entry.project is not None and not entry.project.target:
            return to(entry, "data")
        offered = fields(await task_of(entry), desk.known) if entry.state == "draft" else []
        return desk.page(
            "study", entry=entry, step="study", offered=offered, budgets=BUDGETS, **live(desk, entry)
        )

    async def start(request: Request) -> Response:
        entry, project = desk.kept(request)
        form = await desk.form(request)
        offered = fields(await task_of(entry), desk.known)
        options = {"budget": budget_of(form.texts), **options_of(form.texts, offered)}
        await asyncio.to_thread(desk.line.ask, entry, project.changed(options=options))
        return to(entry, "study")

    async def stop(request: Request) -> Response:
        entry = desk.found(request)
        await desk.form(request)
        await asyncio.to_thread(desk.line.leave, entry)
        return to(entry, "study")

    async def onwards(request: Request) -> Response:
        entry, project = desk.kept(request)
        form = await desk.form(request)
        more = form.texts.get("budget", "").strip()[:40] or "rest"
        if more != "rest":
            parse_budget(more)
        await asyncio.to_thread(desk.line.ask, entry, project, more=more)
        return to(entry, "study")

    async def again(request: Request) -> Response:
        entry, project = desk.kept(request)
        await desk.form(request)
        folder = desk.studies.place.free(entry.name.removeprefix("temperance-"))
        await asyncio.to_thread(copied, entry, project, folder)
        return to(folder.name, "data")

    async def events(request: Request) -> Response:
        entry = desk.found(request)

        def look() -> tuple[str, bool]:
            found = desk.studies.find(entry.name)
            if found is None or found.is_over:
                return "", True
            return pages.page("live", entry=found, **live(desk, found)), False

        return StreamingResponse(desk.stream.run(look, request.is_disconnected), media_type="text/event-stream")

    async def report(request: Request) -> Response:
        entry = desk.found(request)
        if not entry.has_result:
            return to(entry, "study")
        told = await asyncio.to_thread(pages.report_of, entry)
        return desk.page("report", entry=entry, step="report", **told)

    async def document(request: Request) -> Response:
        entry = desk.found(request)
        path = desk.studies.place.file(entry.path, "study.json")
        if path is None:
            return desk.refuse(404, "refused.absent")
        return FileResponse(path, media_type="application/json")

    async def removing(request: Request) -> Response:
        entry = desk.found(request)
        return desk.page("remove", entry=entry)

    async def remove(request: Request) -> Response:
        entry, _ = desk.kept(request)
        await desk.form(request)
        await asyncio.to_thread(removed, entry, desk)
        return RedirectResponse("/", status_code=303)

    return [
        Route("/study/{name}/study", study),
        Route("/study/{name}/study", start, methods=["POST"]),
        Route("/study/{name}/stop", stop, methods=["POST"]),
        Route("/study/{name}/onwards", onwards, methods=["POST"]),
        Route("/study/{name}/again", again, methods=["POST"]),
        Route("/study/{name}/events", events),
        Route("/study/{name}/report", report),
        Route("/study/{name}/study.json", document),
        Route("/study/{name}/remove", removing),
        Route("/study/{name}/remove", remove, methods=["POST"]),
    ]


def live(desk: Desk, entry: Entry) -> dict[str, object]:
    """Return what the page tells of a study that waits, runs or ended."""
    ahead = 0
    if entry.state == "queued":
        names = [one.name for one in desk.line.queued()]
        ahead = 1 + names.index(entry.name) if entry.name in names else 1
    told = story(entry.path / "ledger.jsonl") if desk.studies.place.file(entry.path, "ledger.jsonl") else None
    steps = list(reversed(told.steps[-SHOWN:])) if told else []
    return {"told": told, "steps_done": steps, "ahead": ahead, "now": now()}


def removed(entry: Entry, desk: Desk) -> None:
    """Remove the folder of a project that the app made.

    Raises:
        StudyError: it runs, or it is the app's own folder.

    """
    if not entry.is_over or audit_job(entry).is_alive:
        raise StudyError("this study runs or is being checked", "one that is over", "Stop it first")
    if entry.path == desk.studies.root or not (home(entry.path)).is_dir():
        raise StudyError("this folder was not made by the app", "a project of the app", "Remove it by hand")
    shutil.rmtree(entry.path)
