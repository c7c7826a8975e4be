"""What every page needs: the studies, the line, the rules; a form that is read, an answer that is written."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from temperance.app import pages
from temperance.app.events import Stream
from temperance.app.folders import WORDS, Entry, Studies
from temperance.app.guard import Rules
from temperance.app.project import Project
from temperance.app.waiting import Line

FIELDS = 20_000  # of a form: three for each column of a wide table


@dataclass(frozen=True)
class Form:
    """A form that was sent from one of our pages."""

    texts: Mapping[str, str]
    files: Mapping[str, UploadFile]


@dataclass
class Desk:
    """What the pages share.

    Attributes:
        studies: below the app's folder.
        rules: who may use it.
        known: options that the installed `temperance study` has.
        stream: settings of the live parts.
        line: of the studies that were asked for.
        reading: one file is read at a time.
        watched: addresses of served models that are followed.

    """

    studies: Studies
    rules: Rules = field(default_factory=Rules)
    known: frozenset[str] = frozenset()
    stream: Stream = field(default_factory=Stream)
    line: Line = field(init=False)
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    watched: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.line = Line(self.studies)

    def found(self, request: Request) -> Entry:
        """Return the study that an address names.

        Raises:
            HTTPException: there is none.

        """
        entry = self.studies.find(request.path_params["name"])
        if entry is None:
            raise HTTPException(404)
        return entry

    def kept(self, request: Request) -> tuple[Entry, Project]:
        """Return a study and its project.

        Raises:
            HTTPException: there is none, or the study was not made in the app.

        """
        entry = self.found(request)
        if entry.project is None:
            raise HTTPException(404)
        return entry, entry.project

    async def form(self, request: Request) -> Form:
        """Read a form.

        Raises:
            HTTPException: it was not sent from one of our pages.

        """
        sent: FormData = await request.form(max_fields=FIELDS, max_files=20)
        texts = {key: value for key, value in sent.multi_items() if isinstance(value, str)}
        if not self.rules.is_ours(texts.get("secret", "")):
            raise HTTPException(403, "refused.form")
        chosen = {key: one for key, one in sent.multi_items() if isinstance(one, UploadFile) and one.filename}
        return Form(texts, chosen)

    def page(self, name: str, *, status: int = 200, **values: Any) -> Response:
        """Write a page."""
        shared = {"secret": self.rules.secret, "entry": None, "step": "", "error": None}
        return HTMLResponse(pages.page(name, **{**shared, **values}), status_code=status)

    def message(self, status: int, text: str, error: list[str] | None = None) -> Response:
        """Write a page that says one thing, or the three parts of an error."""
        return self.page("message", status=status, text=text, error=error)

    def refuse(self, status: int, key: str) -> Response:
        """Write the page of a refusal."""
        return self.message(status, str(WORDS.say(key)))


def to(entry: Entry | str, step: str = "") -> Response:
    """Go to a step of a study; the browser asks for it anew."""
    name = entry if isinstance(entry, str) else entry.name
    return RedirectResponse(f"/study/{quote(name, safe='')}/{step}", status_code=303)
