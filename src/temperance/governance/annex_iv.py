"""What Annex IV of the EU AI Act asks for, and which of it the study can fill in: three states, row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from temperance.governance.base import Card, Study, blank, escape, interval, number, table
from temperance.governance.declared import expression_of
from temperance.governance.model_card import winner_of
from temperance.records.errors import SettingError, nearest

State = Literal["filled", "blank", "not applicable"]
WORDS: dict[State, str] = {
    "filled": "filled from evidence",
    "blank": "to be written by you",
    "not applicable": "not applicable",
}
ACT = "Regulation (EU) 2024/1689, Annex IV"
NONE = "not applicable"  # how an owner's answer begins that says so
HEADINGS = {
    "1": "A general description of the system",
    "2": "The elements of the system and how it was developed",
    "3": "Monitoring, functioning and control",
    "4": "Why the performance metrics fit",
    "5": "The risk management system",
    "6": "Changes through its life",
    "7": "Standards that were applied",
    "8": "The EU declaration of conformity",
    "9": "Watching it after it is on the market",
}


@dataclass(frozen=True)
class Row:
    """One thing that the annex asks for.

    Attributes:
        id: point of the annex, e.g. ``2d``; several rows may share one, told apart by a second letter after a dot.
        asks: what is asked for, in plain words.
        state: ``filled``, ``blank`` or ``not applicable``.
        text: the evidence, the owner's answer, or why it does not apply; empty where it is blank.
        where: file or section that holds it; empty where there is none.

    """

    id: str
    asks: str
    state: State
    text: str = ""
    where: str = ""

    @property
    def heading(self) -> str:
        """Number of the heading it stands under."""
        return self.id[0]

    def to_dict(self) -> dict[str, str]:
        """Return JSON-safe fields."""
        return {"id": self.id, "asks": self.asks, "state": self.state, "text": self.text, "where": self.where}


@dataclass(frozen=True)
class AnnexIV(Card):
    """Write ``annex_iv.md``: every row of the annex with its state. It says nothing about conformity.

    Args:
        answers: the owner's texts by id of a row; one that begins with "not applicable" says that it does not apply.

    """

    answers: Mapping[str, str] = field(default_factory=dict)

    name: ClassVar[str] = "annex_iv"
    filename: ClassVar[str] = "annex_iv.md"

    def __post_init__(self) -> None:
        known = [row[0] for row in ROWS]
        for name in self.answers:
            if name not in known:
                raise SettingError(
                    f"annex_iv.toml answers {name!r}", f"one of {', '.join(known)}", nearest(name, known)
                )

    def rows(self, study: Study) -> list[Row]:
        """Return all rows in the order of the annex."""
        return [self._row(study, *one) for one in ROWS]

    def _row(self, study: Study, point: str, asks: str, evidence: Evidence | None, where: str) -> Row:
        answer = " ".join(str(self.answers.get(point, "")).split())
        if answer.lower().startswith(NONE):
            return Row(point, asks, "not applicable", answer[len(NONE) :].lstrip(" :,.-") or "said by the owner")
        if answer:
            return Row(point, asks, "filled", answer, "written by the owner")
        text = evidence(study) if evidence is not None else ""
        if text.startswith(NONE):
            return Row(point, asks, "not applicable", text[len(NONE) :].lstrip(" :"))
        return Row(point, asks, "filled", text, where) if text else Row(point, asks, "blank")

    def render(self, study: Study) -> str:
        """Return the table and, below it, a blank for each row that only the owner can write."""
        rows = self.rows(study)
        counts = {state: sum(r.state == state for r in rows) for state in WORDS}
        said = "; ".join(f"{counts[state]} {words}" for state, words in WORDS.items())
        cells = [(r.id, escape(r.asks), f"**{WORDS[r.state]}**", escape(r.text) or "–", escape(r.where)) for r in rows]
        parts = [
            "# Technical documentation: what is there and what is missing",
            f"Rows follow {ACT}. Of {len(rows)} rows: {said}. This says how far the record of this study goes. It is "
            "no legal advice and no statement that anything conforms.",
            table(("point", "asks for", "state", "what there is", "where"), cells),
            "## To be written by you",
            "Answers in a file `annex_iv.toml` beside `study.json` are taken over when the cards are written again, "
            'e.g. `"5" = "See risk file R-12."` or `"7" = "not applicable: none was applied."`',
            *(blank(f"{r.id}: {escape(r.asks)}") for r in rows if r.state == "blank"),
        ]
        return "\n\n".join(parts) + "\n"


def counts(rows: list[Row]) -> dict[str, dict[str, int]]:
    """Return how many rows of each heading are in each state."""
    return {
        heading: {state: sum(r.state == state for r in rows if r.heading == heading) for state in WORDS}
        for heading in HEADINGS
    }


Evidence = Callable[[Study], str]


def _part(study: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a part of a study; empty where it is missing or of another kind: files from elsewhere are read too."""
    found = study.get(name)
    return found if isinstance(found, Mapping) else {}


def _list(study: Mapping[str, Any], name: str) -> list[Any]:
    found = study.get(name)
    return found if isinstance(found, list) else []


def _versions(study: Study) -> str:
    versions = {"temperance": study.get("temperance"), **_part(study, "versions")}
    return ", ".join(f"{name} {version}" for name, version in versions.items() if version)


def _form(study: Study) -> str:
    return (
        "A folder with an ONNX graph, its schema and checksums; it also answers over HTTP."
        if study.get("bundle")
        else ""
    )


def _hardware(study: Study) -> str:
    cost = _part(_part(study, "winner"), "cost")
    machine = _part(study, "machine")
    if cost.get("latency_1_ms") is None:
        return ""
    size = f", {number(cost['bytes'])} bytes" if cost.get("bytes") is not None else ""
    return f"Measured on {machine.get('cpu') or 'one CPU'}: {number(cost['latency_1_ms'])} ms for one row{size}."


def _instructions(study: Study) -> str:
    return (
        "How to call it stands in the report under “Using it”; limits are in the model card."
        if study.get("bundle")
        else ""
    )


def _steps(study: Study) -> str:
    trials = _list(study, "trials")
    return (
        f"{len(trials)} candidates were tried, each with its settings and outcome. {study.get('command', '')}".strip()
        if trials
        else ""
    )


def _pretrained(study: Study) -> str:
    trial = winner_of(study)
    if not trial or trial.get("model") in ("user", "outside"):
        return ""
    return f"{NONE}: the model was trained from random weights on the data named here."


def _choice(study: Study) -> str:
    return str(_part(study, "winner").get("why") or "")


def _optimised(study: Study) -> str:
    metric = _part(study, "metric")
    return f"Chosen by {metric['name'].replace('_', ' ')}: {metric.get('words', '')}" if metric.get("name") else ""


def _logic(study: Study) -> str:
    trial = winner_of(study)
    parts = [str(trial.get(key)) for key in ("model", "name", "explanation") if trial.get(key)]
    return ": ".join(parts[:2]) + (f". {parts[2]}" if len(parts) > 2 else "") if parts else ""


def _compute(study: Study) -> str:
    total = _part(_part(study, "budget"), "spent").get("total")
    return f"The whole study took {number(total, 1)} s." if total else ""


def _data(study: Study) -> str:
    data = _part(study, "data")
    if not data.get("rows"):
        return ""
    split = _part(study, "roles").get("scheme") or ""
    return f"{number(data['rows'])} rows, SHA-256 {str(data.get('sha256') or '')[:12]}…. {split}".strip()


def _rights(study: Study) -> str:
    expression = expression_of(_part(study, "data").get("licence"))
    return f"Declared licence: {expression}." if expression else ""


def _cleaning(study: Study) -> str:
    data = _part(study, "data")
    if not data:
        return ""
    count = len(_list(data, "dropped")) + len(_list(data, "notes"))
    return f"{count} notes on what was left out or how it was read." if count else "Nothing was left out or changed."


def _audit(study: Study) -> str:
    found = _list(study, "findings")
    asks = sum(f.get("state") in ("fix_before_use", "look_at_this") for f in found)
    return f"{len(found)} findings of the audit, {asks} of them to look at." if found else ""


def _tests(study: Study) -> str:
    tested = _part(_part(study, "winner"), "test")
    shown = [f"{name.replace('_', ' ')} {interval(row)}" for name, row in list(tested.items())[:3] if row]
    return "On rows kept for the test: " + "; ".join(shown) + "." if shown else ""


def _robust(study: Study) -> str:
    rows = _list(_part(study, "winner"), "robustness")
    return f"{len(rows)} disturbances of the inputs were measured." if rows else ""


def _log(study: Study) -> str:
    return (
        "Every decision in order; the study can be run again and compared bit for bit." if study.get("ledger") else ""
    )


def _files(study: Study) -> str:
    return "Each file of the bundle has a checksum; opening it runs no code." if study.get("bundle") else ""


def _limits(study: Study) -> str:
    return " ".join(map(str, _list(study, "limits")[:3]))


def _groups(study: Study) -> str:
    rows = _list(_part(study, "winner"), "slices")
    worse = sum(row.get("state") == "worse" for row in rows)
    return f"{len(rows)} groups were measured, {worse} do worse, with intervals." if rows else ""


def _inputs(study: Study) -> str:
    schema = _part(_part(study, "data"), "schema")
    if schema.get("kind") == "images":
        return f"Images of {' × '.join(map(str, schema.get('image_shape') or []))}."
    columns = len(_list(schema, "columns"))
    return f"{columns} columns with their kinds and ranges; rows that do not fit are refused." if columns else ""


def _compared(study: Study) -> str:
    found = _part(study, "winner").get("simple_test")
    return "Each figure stands beside that of a simple rule, with its interval." if found else ""


REPORT, RECORD = "report.html", "study.json"
ROWS: tuple[tuple[str, str, Evidence | None, str], ...] = (
    ("1a", "What it is for, who provides it, its version", None, ""),
    ("1b", "What hardware or other software it works with", None, ""),
    ("1c", "Versions of the software it needs", _versions, "bill_of_materials.cdx.json"),
    ("1d", "In which forms it is given out", _form, "bundle"),
    ("1e", "The hardware it is to run on", _hardware, RECORD),
    ("1f", "Pictures of the product, where it is part of one", None, ""),
    ("1g", "What its user sees", None, ""),
    ("1h", "Instructions for use", _instructions, REPORT),
    ("2a", "The steps of its development", _steps, "ledger.jsonl"),
    ("2a.p", "Systems trained by others that were built in", _pretrained, ""),
    ("2b", "Its logic and its assumptions", _logic, "model_card.md"),
    ("2b.o", "What it is optimised for", _optimised, RECORD),
    ("2b.c", "The main choices and trade-offs", _choice, REPORT),
    ("2b.w", "For whom it is meant, and why", None, ""),
    ("2c", "The computing that its development took", _compute, RECORD),
    ("2d", "The data, where they come from, how they were split", _data, "dataset_card.md"),
    ("2d.r", "The rights to the data", _rights, "dataset_card.md"),
    ("2d.l", "How data were collected and labelled", None, ""),
    ("2d.c", "How data were cleaned", _cleaning, "dataset_card.md"),
    ("2d.a", "Gaps, errors and bias that were looked for", _audit, "dataset_card.md"),
    ("2e", "Human oversight that is needed, and how it is made possible", None, ""),
    ("2f", "Changes that are planned from the start", None, ""),
    ("2g", "Tests, their data and their figures", _tests, REPORT),
    ("2g.r", "Tests of robustness", _robust, REPORT),
    ("2g.l", "Logs of the tests", _log, "ledger.jsonl"),
    ("2g.s", "Date and signature of those responsible for the tests", None, ""),
    ("2h", "Measures of cybersecurity", _files, "bundle/manifest.json"),
    ("3", "What it can do and where its limits are", _limits, "model_card.md"),
    ("3.g", "Accuracy for groups of people it is used on", _groups, REPORT),
    ("3.u", "Harm that can be foreseen, to health, safety and rights", None, ""),
    ("3.i", "What its inputs must be like", _inputs, "bundle/bundle.json"),
    ("4", "Why these metrics fit this purpose", None, ""),
    ("4.c", "What the figures are compared with", _compared, REPORT),
    ("5", "The risk management system", None, ""),
    ("6", "Changes the provider made since", None, ""),
    ("7", "Harmonised standards, or what was used instead", None, ""),
    ("8", "A copy of the declaration of conformity", None, ""),
    ("9", "The plan for watching it once it is in use", None, ""),
)
