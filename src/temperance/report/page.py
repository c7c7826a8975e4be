"""Puts the sections on one page and writes it: no script, no network, one file."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from markupsafe import Markup

from temperance.records.atomic import write_text
from temperance.records.errors import StudyError
from temperance.report.base import Html, Study
from temperance.report.figures import Figures
from temperance.report.node import Node
from temperance.report.placing import place
from temperance.report.sections import ORDER
from temperance.report.words import Words, check_language

SCHEMA = 1
LOOKED_UP = frozenset({"safety", "using", "duties", "method"})


def read(folder: Path) -> dict[str, Any]:
    """Read ``study.json`` of a study's folder.

    Raises:
        StudyError: it is missing, not JSON, or of a schema that this version does not know.

    """
    file = folder / "study.json"
    remedy = "Name the folder that `temperance study --out` wrote"
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise StudyError(f"{file} cannot be read ({error.strerror})", "A folder with a study.json", remedy) from error
    except ValueError as error:
        raise StudyError(f"{file} is not JSON ({error})", "A study.json as the study wrote it", remedy) from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        found = document.get("schema") if isinstance(document, dict) else type(document).__name__
        wanted = f"A study.json of schema {SCHEMA}"
        raise StudyError(f"{file} has schema {found!r}", wanted, "Report it with the version that wrote it")
    return document


def stylesheet() -> str:
    """Return the page's only style sheet."""
    return (files("temperance.report") / "templates" / "style.css").read_text(encoding="utf-8")


def policy(style: str) -> str:
    """Return a content security policy that allows this style sheet and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def sections(
    document: dict[str, Any], *, names: frozenset[str] = frozenset(), language: str = "en"
) -> tuple[Study, list[tuple[str, Html]]]:
    """Return the study as the page sees it, and every section by name, for pages that show them one by one."""
    words = Words(language)
    study = Study(Node(document), words, Figures(words), names)
    return study, [(section.name, section.render(study)) for section in ORDER if section.applies(study)]


def is_folded(study: Study, name: str) -> bool:
    """Return whether a section is for looking things up, and nothing in it asks its reader to act."""
    return name in LOOKED_UP and not place(study, name).urgent


def html(document: dict[str, Any], *, names: frozenset[str] = frozenset(), language: str = "en") -> str:
    """Return the whole page for a study that was read.

    Args:
        document: content of ``study.json``.
        names: names of the files beside it.
        language: language of the page.

    """
    study, parts = sections(document, names=names, language=language)
    style = Markup("\n" + stylesheet())
    values = {
        "parts": parts, "folded": {name for name, _ in parts if is_folded(study, name)}, "style": style,
        "policy": policy(str(style)), "language": language,
    }  # fmt: skip
    return str(study.template("page.html.j2", **values))


def render(folder: str | Path, *, language: str = "en") -> Path:
    """Write ``report.html`` into a study's folder, whole or not at all, and return its path.

    Raises:
        SettingError: there are no words in this language.
        StudyError: see ``read``.
        DataError: the disk is full or the folder cannot be written.

    """
    check_language(language)
    place = Path(folder)
    text = html(read(place), names=frozenset(item.name for item in place.iterdir()), language=language)
    goal = place / "report.html"
    write_text(goal, text)
    return goal
