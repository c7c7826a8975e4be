"""What is in my data: rows, gaps, columns, and what the audit found in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from temperance.report.base import Section, Study
from temperance.report.placing import place


@dataclass(frozen=True)
class Data(Section):
    """Block 5 of the owner's outline."""

    name: ClassVar[str] = "data"

    def context(self, study: Study) -> dict[str, Any]:
        """Collect the profile and the findings on the data."""
        data = study.root["data"]
        columns = list(data["profile"]["columns"])
        ranked = sorted(columns, key=lambda c: -(c["missing"].number or 0.0))
        return {
            "data": data,
            "columns": ranked[:20],
            "form_of_column": lambda column: "day" if column["part"].raw == "days" else "number",
            "columns_more": max(0, len(columns) - 20),
            "dropped": list(data["dropped"])[:20],
            "dropped_more": max(0, len(data["dropped"]) - 20),
            "notes": list(data["notes"])[:20],
            "placed": place(study, self.name),
        }
