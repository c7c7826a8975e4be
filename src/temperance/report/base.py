"""What a section is: frozen settings and one verb, ``render(study) -> Html``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, ClassVar, final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from temperance.records.finding import STATES, state_of
from temperance.report.figures import Figures
from temperance.report.node import Node
from temperance.report.words import Words

Html = Markup


@cache
def environment() -> Environment:
    """Return the templates of the package; every value in them is escaped."""
    return Environment(
        loader=PackageLoader("temperance.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def told_state(finding: Node) -> str:
    """Return the state of a finding as the page tells it, ``not_tested`` where it is none of the four."""
    state = state_of(finding.raw) if isinstance(finding.raw, dict) else ""
    return state if state in STATES else "not_tested"


@dataclass(frozen=True)
class Study:
    """A study as the sections see it.

    Attributes:
        root: the whole of ``study.json``.
        words: the texts of the page's language.
        figures: writes figures and remembers them.
        files: names of the files that lie in the study's folder.

    """

    root: Node
    words: Words = field(default_factory=Words)
    figures: Figures = field(default_factory=lambda: Figures(Words()))
    files: frozenset[str] = frozenset()

    @property
    def task(self) -> str:
        """``binary``, ``multiclass`` or ``regression``."""
        return self.root["data"]["task"].text

    @property
    def regression(self) -> bool:
        """Whether a number is predicted."""
        return self.task == "regression"

    def trial(self, name: Node) -> Node:
        """Return the trial that a node names, or an empty node."""
        return self._trials.get(name.raw, Node(None, "/trials")) if isinstance(name.raw, str) else Node(None, "/trials")

    @property
    def members(self) -> list[Node]:
        """Return the trials that the winner is made of: its members, for an ensemble, else the trial itself."""
        winner = self.root["winner"]
        members = winner["members"]
        names = [Node(m.key, m.pointer) for m in members] if isinstance(members.raw, dict) else list(members)
        named = [self.trial(name) for name in names] or [self.trial(winner["trial"])]
        return [trial for trial in named if trial]

    @cached_property
    def _trials(self) -> dict[Any, Node]:
        return {trial["id"].raw: trial for trial in self.root["trials"] if isinstance(trial["id"].raw, str)}

    def check_name(self, finding: Node) -> Html:
        """Name the check that made a finding."""
        key = f"check.{finding['check'].text}"
        return self.words.say(key) if self.words.knows(key) else self.figures.quote(finding["check"], 60)

    def template(self, name: str, **values: Any) -> Html:
        """Fill a template of the package."""
        tools = {
            "study": self.root,
            "say": self.words.say,
            "fig": self.figures.figure,
            "interval": self.figures.interval,
            "quote": self.figures.quote,
            "key": self.figures.key,
            "date": self.figures.date,
            "absent": self.figures.absent,
            "state_of": told_state,
            "check_name": self.check_name,
        }
        return Markup(environment().get_template(name).render(**tools, **values))


@dataclass(frozen=True)
class Section(ABC):
    """One block of the owner's outline; ``name`` is its anchor, its template and the stem of its texts."""

    name: ClassVar[str]

    def applies(self, study: Study) -> bool:
        """Say whether the study has anything for this section; one that does not apply is left out."""
        return True

    @abstractmethod
    def context(self, study: Study) -> dict[str, Any]:
        """Return what the section's template needs beside the study."""

    @final
    def render(self, study: Study) -> Html:
        """Write the section."""
        study.figures.section = self.name
        return study.template(f"sections/{self.name}.html.j2", **self.context(study))
