"""The dataset card: Gebru et al.'s seven sections, numbers filled in, questions to the owner as visible blanks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar, get_args

from temperance.governance.base import Card, Study, blank, code, escape, front_matter, number, table
from temperance.governance.declared import expression_of
from temperance.governance.licence import USES, Use, judge
from temperance.governance.model_card import findings_table, pipeline_of

SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)


@dataclass(frozen=True)
class DatasetCard(Card):
    """Write ``dataset_card.md`` from a study (Gebru et al., 2021, arXiv:1803.09010, for the questions)."""

    name: ClassVar[str] = "dataset_card"
    filename: ClassVar[str] = "dataset_card.md"

    def render(self, study: Study) -> str:
        """Return the card."""
        data = study.get("data") or {}
        parts = [
            front_matter(_fields(study)),
            f"# Dataset card: {escape(data.get('name', 'data'))}",
            "## 1. Motivation",
            blank("Why was this data collected, by whom, and who paid for it?"),
            "## 2. Composition",
            _composition(study),
            _answers(data),
            _columns(data),
            "### Who is in the data, and who is hardly there",
            _groups(study),
            "### What the audit found",
            findings_table(study),
            _people(study),
            "## 3. Collection process",
            blank("How, when and where was each row collected? Was it measured, reported, or worked out?"),
            blank("If rows are about people: were they told, and did they agree?"),
            "## 4. Preprocessing, cleaning and labelling",
            _cleaning(study),
            blank("Who gave the answers in the target column, and how were they checked?"),
            "## 5. Uses",
            f"Used here to predict {code(data.get('target', ''))}.",
            blank("What else is this data used for, and what must it not be used for?"),
            "## 6. Distribution",
            _licences(data.get("licence")),
            "## 7. Maintenance",
            f"Fingerprint of this version (SHA-256): {code(data.get('sha256', ''))}. The same description for machines "
            "stands in `croissant.json` (Croissant 1.1).",
            blank("Who keeps this data, how often does it change, and how are mistakes reported?"),
        ]
        return "\n\n".join(part for part in parts if part) + "\n"


def _fields(study: Study) -> dict[str, Any]:
    data = study.get("data") or {}
    rows = int(data.get("rows") or 0)
    size = next((label for limit, label in SIZES if rows < limit), "n>10M")
    licence = expression_of(data.get("licence"))
    known = licence is not None and judge(licence, use="research").answer != "unknown" and " " not in licence
    return {
        "license": licence.lower() if known and licence else ("other" if licence else "unknown"),
        "pretty_name": str(data.get("name", "data")),
        "task_categories": [pipeline_of(study)],
        "size_categories": [size],
        "tags": ["temperance"],
    }


def _composition(study: Study) -> str:
    data, roles = study.get("data") or {}, study.get("roles") or {}
    schema = data.get("schema") or {}
    counts = roles.get("counts") or {}
    split = ", ".join(f"{number(count)} {escape(role)}" for role, count in counts.items() if count)
    rows = [
        ("rows", number(data.get("rows"))),
        ("columns used", number(len(schema.get("columns") or []))),
        ("columns left out", ", ".join(code(c) for c in (schema.get("ignored") or [])[:20]) or "none"),
        ("target", f"{code(data.get('target', ''))} ({escape(data.get('task', ''))})"),
        ("split", split or "–"),
        ("how it was split", escape(roles.get("scheme", "")) or "–"),
    ]
    return table(("", ""), rows)


def _answers(data: Mapping[str, Any]) -> str:
    profile = (data.get("profile") or {}).get("columns") or []
    target = next((row for row in profile if row.get("name") == data.get("target")), None)
    if not data.get("classes"):
        return ""
    if not target or not target.get("top"):
        return "Answers: " + ", ".join(code(c) for c in data["classes"][:20])
    total = max(int(data.get("rows") or 0), 1)
    rows = [(code(value), number(count), f"{100 * count / total:.1f} %") for value, count in target["top"][:20]]
    return table(("answer", "rows", "share"), rows)


def _columns(data: Mapping[str, Any]) -> str:
    profile = (data.get("profile") or {}).get("columns") or []
    if not profile:
        return ""
    rows = [
        (
            code(row.get("name", "")),
            escape(row.get("kind", "")),
            number(row.get("missing")),
            ("about " if row.get("about") else "") + number(row.get("unique")),
            _range(row),
        )
        for row in profile[:50]
    ]
    more = f"\n\n{len(profile) - 50} more columns are in `study.json`." if len(profile) > 50 else ""
    return table(("column", "kind", "missing", "distinct", "range or commonest values"), rows) + more


def _range(row: Mapping[str, Any]) -> str:
    if row.get("low") is not None and row.get("high") is not None:
        shown = _day if row.get("part") == "days" else number
        unit = " words" if row.get("kind") == "text" else ""
        return f"{shown(row['low'])} to {shown(row['high'])}{unit}, mean {shown(row.get('mean'))}"
    return ", ".join(f"{code(value)} {number(count)}" for value, count in (row.get("top") or [])[:5]) or "–"


def _day(value: Any) -> str:
    """Write days since 1970 as a date; what lies outside the calendar stays a number."""
    try:
        return (date(1970, 1, 1) + timedelta(days=math.floor(value))).isoformat()
    except (TypeError, OverflowError):
        return number(value)


def _people(study: Study) -> str:
    found = next((f for f in study.get("findings") or [] if f.get("check") == "personal_data"), None)
    said = f"{escape(found['title'])}\n\n" if found else "Not tested for personal data.\n\n"
    return (
        "### Data about people\n\n" + said + blank("Are rows about people? Which law and which reason allow this use?")
    )


def _cleaning(study: Study) -> str:
    data = study.get("data") or {}
    dropped = [f"- {_what(row)} left out: {escape(row.get('why', ''))}" for row in data.get("dropped") or []]
    notes = [f"- {escape(note)}" for note in data.get("notes") or []]
    return "\n".join(dropped + notes) or "Nothing was left out or changed when the file was read."


def _what(row: Mapping[str, Any]) -> str:
    return f"{number(row['rows'])} rows" if row.get("rows") else f"column {code(row.get('column', ''))}"


def _groups(study: Study) -> str:
    """Return rows per group with the rows that are missing for a figure, and the thinnest combinations."""
    found = [f for f in study.get("findings") or [] if f.get("check") == "representativeness"]
    groups = next((f for f in found if f.get("subject") == "groups"), None)
    evidence = (groups or {}).get("evidence") or {}
    if not evidence.get("examples"):
        return escape(found[0].get("title", "")) if found else "Groups were not counted."
    needed = int(evidence.get("rows_needed") or 0)
    rows = [
        (code(one["column"]), code(word), number(count), number(max(0, needed - count)) if needed else "–")
        for one in evidence["examples"]
        for word, count in one["groups"].items()
    ]
    said = escape(evidence.get("rows_needed_for") or "")
    parts = [table(("column", "group", "rows", "rows missing"), rows[:40]), said]
    thin = next((f for f in found if f.get("subject") == "combinations"), None)
    combined = ((thin or {}).get("evidence") or {}).get("examples") or []
    if combined:
        cells = [
            (
                " and ".join(f"{code(c)} = {code(v)}" for c, v in e["groups"].items()),
                number(e["rows"]),
                number(e["expected"]),
            )
            for e in combined[:10]
        ]
        head = ("combination that is hardly there", "rows", "expected by chance")
        parts.append(table(head, cells))
    return "\n\n".join(part for part in parts if part)


def _licences(record: Any) -> str:
    expression, rows = expression_of(record), []
    for use in get_args(Use):
        verdict = judge(expression, use=use)
        rows.append((escape(USES[use]), f"**{verdict.answer}**", escape(" ".join(verdict.reasons + verdict.duties))))
    said = f"Declared licence: {code(expression)}" if expression else "No licence was declared"
    fields = record if isinstance(record, Mapping) else {}
    said += f" ({escape(fields['source'])})." if fields.get("source") else "."
    for other in fields.get("others") or []:
        said += (
            f" {escape(other.get('source'))} says {code(other.get('expression'))} instead: please settle which holds."
        )
    note = f"By our table of {judge(expression, use='research').date}. This is not legal advice."
    question = (
        "" if expression else "\n\n" + blank("Under which licence do you hold this data? Give the link and the date.")
    )
    return f"{said}\n\n{table(('use', 'verdict', 'why and what to do'), rows)}\n\n{note}{question}"
