"""The report: one HTML file that an owner can read, made from ``study.json``. Loads its templates on first use."""

from __future__ import annotations

from pathlib import Path


def render(folder: str | Path, *, language: str = "en") -> Path:
    """Write ``report.html`` into a study's folder and return its path; ``language`` is that of its sentences.

    Raises:
        SettingError: there are no words in this language.
        StudyError: the folder holds no readable ``study.json``, or one of a newer schema.

    """
    from temperance.report.page import render as write

    return write(folder, language=language)


def prepare() -> None:
    """Load what ``render`` needs and compile the templates: most of the time of the first report."""
    from temperance.report.base import environment

    for name in environment().list_templates(extensions=["j2"]):
        environment().get_template(name)
