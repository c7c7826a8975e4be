"""Safety: what was tested, and, as large, what was not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from temperance.report.base import Section, Study
from temperance.report.placing import place, untested_topics


@dataclass(frozen=True)
class Safety(Section):
    """Block 9 of the owner's outline."""

    name: ClassVar[str] = "safety"

    def context(self, study: Study) -> dict[str, Any]:
        """Collect the findings on safety and the questions that nobody asked."""
        return {"placed": place(study, self.name), "untested": untested_topics(study)}
