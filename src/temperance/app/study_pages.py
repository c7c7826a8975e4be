"""The pages on one study: what it may cost, how it goes, what came of it."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True)
class StudyPages:
    """One study: before, while and after it runs."""

    desk: Desk

    async def task_of(self, entry: Entry) -> str:
        """Return what kind of answer a project has; empty while it is not known."""
        if entry.project is None or not entry.project.target:
            return ""
        async with self.desk.reading:
            found = await asyncio.to_thread(seen, entry.project, entry.path, self.desk.studies.root)
        return str(found.get("task") or "")

    async def study(self, request: Request) -> Response:
        """Show the form of a study, how it goes, or how it ended."""
        entry = self.desk.found(request)
        if entry.state == "draft" and entry.project is not None and not entry.project.target:
            return to(entry, "data")
        offered = fields(await self.task_of(entry), self.desk.known) if entry.state == "draft" else []
        return self.desk.page(
            "study", entry=entry, step="study", offered=offered, budgets=BUDGETS, **live(self.desk, entry)
        )

    async def start(self, request: Request) -> Response:
        """Put the study into the line."""
        entry, project = self.desk.kept(request)
        form = await self.desk.form(request)
        offered = fields(await self.task_of(entry), self.desk.known)
        options = {"budget": budget_of(form.texts), **options_of(form.texts, offered)}
        await asyncio.to_thread(self.desk.line.ask, entry, project.changed(options=options))
        return to(entry, "study")

    async def stop(self, request: Request) -> Response:
        """Take it out of the line, or ask it to end and keep its best."""
        entry = self.desk.found(request)
        await self.desk.form(request)
        await asyncio.to_thread(self.desk.line.leave, entry)
        return to(entry, "study")

    async def onwards(self, request: Request) -> Response:
        """Go on with a study that is over."""
        entry, project = self.desk.kept(request)
        form = await self.desk.form(request)
        more = form.texts.get("budget", "").strip()[:40] or "rest"
        if more != "rest":
            parse_budget(more)
        await asyncio.to_thread(self.desk.line.ask, entry, project, more=more)
        return to(entry, "study")

    async def again(self, request: Request) -> Response:
        """Make another project of the same data."""
        entry, project = self.desk.kept(request)
        await self.desk.form(request)
        folder = self.desk.studies.place.free(entry.name.removeprefix("temperance-"))
        await asyncio.to_thread(copied, entry, project, folder)
        return to(folder.name, "data")

    async def events(self, request: Request) -> Response:
        """Send how the study goes whenever that changes."""
        entry = self.desk.found(request)

        def look() -> tuple[str, bool]:
            found = self.desk.studies.find(entry.name)
            if found is None or found.is_over:
                return "", True
            return pages.page("live", entry=found, **live(self.desk, found)), False

        return StreamingResponse(self.desk.stream.run(look, request.is_disconnected), media_type="text/event-stream")

    async def report(self, request: Request) -> Response:
        """Show the report."""
        entry = self.desk.found(request)
        if not entry.has_result:
            return to(entry, "study")
        told = await asyncio.to_thread(pages.report_of, entry)
        return self.desk.page("report", entry=entry, step="report", **told)

    async def document(self, request: Request) -> Response:
        """Give `study.json`."""
        entry = self.desk.found(request)
        path = self.desk.studies.place.file(entry.path, "study.json")
        if path is None:
            return self.desk.refuse(404, "refused.absent")
        return FileResponse(path, media_type="application/json")

    async def removing(self, request: Request) -> Response:
        """Ask whether a study is to go."""
        entry = self.desk.found(request)
        return self.desk.page("remove", entry=entry)

    async def remove(self, request: Request) -> Response:
        """Remove it."""
        entry, _ = self.desk.kept(request)
        await self.desk.form(request)
        await asyncio.to_thread(removed, entry, self.desk)
        return RedirectResponse("/", status_code=303)

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        return [
            Route("/study/{name}/study", self.study),
            Route("/study/{name}/study", self.start, methods=["POST"]),
            Route("/study/{name}/stop", self.stop, methods=["POST"]),
            Route("/study/{name}/onwards", self.onwards, methods=["POST"]),
            Route("/study/{name}/again", self.again, methods=["POST"]),
            Route("/study/{name}/events", self.events),
            Route("/study/{name}/report", self.report),
            Route("/study/{name}/study.json", self.document),
            Route("/study/{name}/remove", self.removing),
            Route("/study/{name}/remove", self.remove, methods=["POST"]),
        ]


def live(desk: Desk, entry: Entry) -> dict[str, Any]:
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
