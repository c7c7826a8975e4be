"""The pages on the data: what was read, and what the check found; the owner's decisions on both."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from temperance.app import pages
from temperance.app.desk import Desk, Form, to
from temperance.app.folders import Entry, why_ended
from temperance.app.jobs import Job
from temperance.app.places import Place
from temperance.app.project import Project, home, source_path
from temperance.app.questions import answered, questions
from temperance.app.reading import Seen, seen
from temperance.records.errors import DataError, SettingError

ROLES = ("target", "group", "time", "weight", "series", "by")  # decisions that name a column
TASKS = ("auto", "classification", "ordinal", "regression", "counts")


@dataclass(frozen=True)
class DataPages:
    """What was read and what was checked."""

    desk: Desk

    async def read(self, entry: Entry, project: Project) -> Seen:
        """Read the file of a project; one file at a time."""
        async with self.desk.reading:
            return await asyncio.to_thread(seen, project, entry.path, self.desk.studies.root)

    def files(self) -> list[str]:
        """Return the names of the files that may be the test."""
        return [path.name for path in self.desk.studies.place.data()]

    async def data(self, request: Request) -> Response:
        """Show what was read, column by column."""
        entry, project = self.desk.kept(request)
        found = await self.read(entry, project)
        told = {"entry": entry, "project": project, "found": found, "error": found["error"], "files": self.files()}
        return self.desk.page("data", step="data", **told)

    async def decide(self, request: Request) -> Response:
        """Take the decisions about the columns, and read again."""
        entry, project = self.desk.kept(request)
        form = await self.desk.form(request)
        _check_free(entry)
        shown = await self.read(entry, project)
        changed = decided(project, form, shown["names"], self.files())
        found = await self.read(entry, changed)
        if not project.target and found.get("target") and found["error"] is None:
            changed = changed.changed(target=found["target"])
            found = await self.read(entry, changed)
        changed.save(entry.path)
        then = form.texts.get("then", "look")
        onwards = then in ("check", "study") and found["error"] is None and doubted(found) <= doubted(shown)
        if then == "check" and onwards:
            await asyncio.to_thread(start_check, entry, changed, self.desk)
        return to(entry, then if onwards else "data")

    async def schema(self, request: Request) -> Response:
        """Give the decisions as a file for `--schema`."""
        entry, project = self.desk.kept(request)
        found = await self.read(entry, project)
        headers = {"content-disposition": 'attachment; filename="columns.toml"'}
        return Response(found.get("toml", ""), media_type="application/toml", headers=headers)

    async def check(self, request: Request) -> Response:
        """Show what the check found, and what it asks."""
        entry, project = self.desk.kept(request)
        if not project.target:
            return to(entry, "data")
        found = await self.read(entry, project)
        told = await asyncio.to_thread(checked, entry, project)
        shown = {"entry": entry, "project": project, "names": found["names"]}
        return self.desk.page("check", step="check", **shown, **told)

    async def again(self, request: Request) -> Response:
        """Start the check."""
        entry, project = self.desk.kept(request)
        await self.desk.form(request)
        await asyncio.to_thread(start_check, entry, project, self.desk)
        return to(entry, "check")

    async def answers(self, request: Request) -> Response:
        """Take the answers to its questions."""
        entry, project = self.desk.kept(request)
        form = await self.desk.form(request)
        _check_free(entry)
        names = (await self.read(entry, project))["names"]
        told = await asyncio.to_thread(checked, entry, project)
        asked = [question for _, several in told["asked"] for question in several]
        changed = answered(project, asked, form.texts, names)
        changed.save(entry.path)
        if form.texts.get("then") == "check":
            await asyncio.to_thread(start_check, entry, changed, self.desk)
            return to(entry, "check")
        return to(entry, "study")

    async def events(self, request: Request) -> Response:
        """Tell when the check is over."""
        entry, _ = self.desk.kept(request)
        job = audit_job(entry)

        def look() -> tuple[str, bool]:
            alive = job.is_alive
            return pages.page("checking", alive=alive), not alive

        return StreamingResponse(self.desk.stream.run(look, request.is_disconnected), media_type="text/event-stream")

    async def home_page(self, request: Request) -> Response:
        """Go to the step at which a study is."""
        return RedirectResponse(pages.next_step(self.desk.found(request)), status_code=303)

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        return [
            Route("/study/{name}/", self.home_page),
            Route("/study/{name}/data", self.data),
            Route("/study/{name}/data", self.decide, methods=["POST"]),
            Route("/study/{name}/columns.toml", self.schema),
            Route("/study/{name}/check", self.check),
            Route("/study/{name}/check", self.answers, methods=["POST"]),
            Route("/study/{name}/check/again", self.again, methods=["POST"]),
            Route("/study/{name}/check/events", self.events),
        ]


def decided(project: Project, form: Form, names: list[str], files: list[str]) -> Project:
    """Return the project as the page on the data changes it; only columns of the file are taken.

    Args:
        project: as it was.
        form: that was sent.
        names: of the columns.
        files: that may be the test.

    Raises:
        SettingError: a column or a task that was not offered.

    """
    said = form.texts
    columns = dict(project.columns)
    for name in names:
        how = said.get(f"c.{name}")
        if how is None:
            continue
        columns.pop(name, None)
        if how:
            columns[name] = how
    picked = {role: said.get(role, getattr(project, role)) for role in ROLES}
    for role, name in picked.items():
        if name and names and name not in names:
            raise SettingError(f"{role} {name[:80]!r}", "one of the columns of the file", "Choose one of them")
    task = said.get("task", project.task)
    if task not in TASKS:
        raise SettingError(f"task {task[:80]!r}", ", ".join(TASKS), "Choose one of them")
    rest = {key: said.get(key, getattr(project, key))[:200] for key in ("na_values", "sheet", "sep", "lags", "horizon")}
    test = project.test if "test" not in said else {"kind": "file", "name": said["test"]} if said["test"] else {}
    if test and test["kind"] == "file" and test["name"] not in files:
        raise SettingError(f"the test {test['name'][:80]!r}", "one of the files beside the app", "Choose one of them")
    made = project.changed(columns=columns, task=task, test=test, **picked, **rest)
    made.choices  # noqa: B018  # a decision that cannot be understood is refused here, in words
    return made


def doubted(found: Seen) -> set[str]:
    """Return the columns that can be read in more than one way; one that was not shown yet is shown first."""
    return {column["column"] for column in found["columns"] if column["others"]}


def audit_job(entry: Entry) -> Job:
    """Return the process that checks the data of a project."""
    return Job(home(entry.path), "audit")


def start_check(entry: Entry, project: Project, desk: Desk) -> None:
    """Start the check of the data, unless it runs."""
    job = audit_job(entry)
    if job.is_alive:
        return
    root = desk.studies.root
    out = (home(entry.path) / "audit").relative_to(root).as_posix()
    (home(entry.path) / "checked").write_text(project.key, encoding="utf-8")
    data = source_path(project.source, entry.path, root)
    job.start(["audit", data, *project.arguments(entry.path, root), f"--out={out}", "--json"], root)


def checked(entry: Entry, project: Project) -> dict[str, Any]:
    """Return how the check stands: whether it runs, what it found, what it asks, why it failed."""
    job = audit_job(entry)
    told: dict[str, Any] = {"running": job.is_alive, "findings": [], "asked": [], "why": "", "stale": False}
    told["ran"] = job.card is not None
    if told["running"] or not told["ran"]:
        return told
    path = Place(entry.path).file(home(entry.path) / "audit", "audit.json")
    if "error" in job.outcome or path is None or job.code not in (0, None):
        return told | {"why": why_ended(job)}
    document = json.loads(path.read_text(encoding="utf-8"))
    schema = document["data"].get("schema") or {}
    told["findings"] = document["findings"]
    told["asked"] = [(row, questions(row, schema, project)) for row in document["findings"]]
    told["counts"] = pages.counted(document["findings"])
    kept = home(entry.path) / "checked"
    told["stale"] = not kept.is_file() or kept.read_text(encoding="utf-8") != project.key
    return told


def _check_free(entry: Entry) -> None:
    if not entry.is_over:
        raise DataError(
            "the study of these data waits or runs", "decisions before the study starts",
            "Stop it first, or wait for its end",
        )  # fmt: skip
