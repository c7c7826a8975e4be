"""The model card: what the model is, how good it is and where it fails, after Mitchell et al. (2019)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from temperance.governance.base import (
    Card,
    Study,
    blank,
    block,
    bullets,
    code,
    escape,
    front_matter,
    interval,
    number,
    table,
)
from temperance.records.finding import STATES

PIPELINES = {"binary": "classification", "multiclass": "classification", "regression": "regression"}


@dataclass(frozen=True)
class ModelCard(Card):
    """Write ``model_card.md`` from a study; every figure is copied from ``study.json``.

    Args:
        licence: identifier of the model's own licence, as hubs name it (``apache-2.0`` …); empty: not stated.

    The front matter is that of Hugging Face model cards: licence, library, task, tags, and ``model-index`` with each
    figure of the test, its data set, split and revision (the data's SHA-256).

    """

    licence: str = ""

    name: ClassVar[str] = "model_card"
    filename: ClassVar[str] = "model_card.md"

    def render(self, study: Study) -> str:
        """Return the card."""
        data = study.get("data") or {}
        parts = [
            front_matter(self.fields(study)),
            f"# Model card: {escape(data.get('target', 'model'))} from {escape(data.get('name', 'data'))}",
            _summary(study),
            "## What it is",
            _details(study),
            "## What it may be used for",
            blank("What is the model for, and who uses its answers?"),
            blank("What must it not be used for?"),
            "## How good it is",
            _results(study),
            "## What regularization bought and cost",
            _bought(study),
            "## Where it fails",
            _robustness(study),
            _slices(study),
            "## What the audit of the data found",
            findings_table(study),
            "## What it cost",
            _cost(study),
            "## Limits",
            bullets(study.get("limits")) or "No limits were written down by the run.",
            blank("Which people or cases could be harmed by a wrong answer, and what is done then?"),
            "## How it was made",
            _making(study),
            "## References",
            bullets(study.get("citations")) or "None.",
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def fields(self, study: Study) -> dict[str, Any]:
        """Return the front matter."""
        data = study.get("data") or {}
        metrics = (study.get("winner") or {}).get("test") or {}
        results = [
            {"type": name, "value": row.get("value"), "name": name.replace("_", " "), "verified": False}
            for name, row in metrics.items()
            if row and row.get("value") is not None
        ]
        pipeline = pipeline_of(study)
        stated = {"license": self.licence} if self.licence else {"license": "other", "license_name": "not-stated"}
        fields: dict[str, Any] = {
            **stated,
            "library_name": "temperance",
            "pipeline_tag": pipeline,
            "tags": ["temperance", "regularization", pipeline],
            "metrics": [row["type"] for row in results],
        }
        if results:
            dataset = {"name": str(data.get("name", "data")), "type": str(data.get("name", "data")), "split": "test"}
            dataset |= {"revision": str(data["sha256"])} if data.get("sha256") else {}
            task = {"type": pipeline, "name": pipeline.replace("-", " ")}
            entry = {"task": task, "dataset": dataset, "metrics": results}
            fields["model-index"] = [{"name": str(data.get("name", "data")), "results": [entry]}]
        return fields


def pipeline_of(study: Study) -> str:
    """Return the name that hubs use for the task, e.g. ``tabular-classification``."""
    data = study.get("data") or {}
    kind = "image" if (data.get("schema") or {}).get("kind") == "images" else "tabular"
    return f"{kind}-{PIPELINES.get(str(data.get('task')), 'classification')}"


def winner_of(study: Study) -> Mapping[str, Any]:
    """Return the trial that won, or an empty one."""
    wanted = (study.get("winner") or {}).get("trial")
    return next((trial for trial in study.get("trials") or [] if trial.get("id") == wanted), {})


def findings_table(study: Study) -> str:
    """Return the findings of the audit, those to act on first, "not tested" included."""
    order = list(STATES)
    found = sorted(
        study.get("findings") or [], key=lambda row: order.index(row["state"]) if row["state"] in order else 9
    )
    if not found:
        return "The audit was not run."
    rows = [
        (
            f"**{STATES[f['state']]}**" if f["state"] in STATES else escape(f["state"]),
            escape(f.get("title", "")),
            _test_of(f),
        )
        for f in found[:20]
    ]
    more = f"\n\n{len(found) - 20} more are in `study.json`." if len(found) > 20 else ""
    return table(("state", "what we saw", "how the test did on planted faults"), rows) + more


def _test_of(finding: Mapping[str, Any]) -> str:
    confidence = finding.get("confidence") or {}
    return escape(confidence.get("self_test") or "–")


def _summary(study: Study) -> str:
    winner = study.get("winner") or {}
    if not winner:
        return "The study ended without a model. The figures below are those that exist."
    note = " The study was interrupted; this is the best model so far." if study.get("status") == "interrupted" else ""
    return f"{escape(winner.get('why', ''))}{note}"


def _details(study: Study) -> str:
    data, trial = study.get("data") or {}, winner_of(study)
    schema = data.get("schema") or {}
    rows = [
        ("predicts", f"{code(data.get('target', ''))} ({escape(data.get('task', ''))})"),
        (
            "inputs",
            f"{number(len(schema.get('columns') or []))} columns" if schema.get("kind") != "images" else "images",
        ),
        ("kind of model", escape(trial.get("model", "–"))),
        ("recipe", escape(trial.get("name", "–"))),
        ("learned numbers", number((trial.get("cost") or {}).get("parameters"))),
        ("made on", escape(study.get("created", "–"))),
    ]
    calibration = (study.get("winner") or {}).get("calibration") or {}
    if calibration:
        kind = calibration["calibrator"]["kind"]
        words = "as the model gives them; no correction was proven to help" if kind == "identity" else (
            f"corrected ({escape(kind)}) on {number(calibration.get('n'))} rows it did not learn from"
        )  # fmt: skip
        rows.append(("stated chances", words))
    if data.get("classes"):
        shown = ", ".join(code(c) for c in data["classes"][:20])
        rows.insert(1, ("answers", shown + (" …" if len(data["classes"]) > 20 else "")))
    text = table(("", ""), rows)
    return f"{text}\n\n{escape(trial['explanation'])}" if trial.get("explanation") else text


def _results(study: Study) -> str:
    winner = study.get("winner") or {}
    tested = winner.get("test") or {}
    if not tested:
        return "No test figures exist."
    others = {
        "simple rule": (winner.get("simple_test") or {}).get("measurements") or {},
        "plain net": (winner.get("plain_test") or {}).get("measurements") or {},
        "boosting": (winner.get("boosting_test") or {}).get("measurements") or {},
        "linear model": (winner.get("linear_test") or {}).get("measurements") or {},
    }
    others = {name: rows for name, rows in others.items() if rows}
    head = ("measure", "this model", *others)
    rows = [
        (escape(name.replace("_", " ")), interval(row), *(interval(o.get(name)) for o in others.values()))
        for name, row in tested.items()
    ]
    scheme = (study.get("roles") or {}).get("scheme", "")
    return f"Measured once on rows that took no part in training or choosing. {escape(scheme)}\n\n{table(head, rows)}"


def _bought(study: Study) -> str:
    bought = (study.get("winner") or {}).get("bought") or []
    if not bought:
        return "Not measured."
    rows = [
        (
            escape(str(row.get("metric", "")).replace("_", " ")),
            interval(row.get("difference")),
            number(row.get("cost_ratio"), 2),
            escape(row.get("sentence", "")),
        )
        for row in bought
    ]
    return table(("measure", "difference to the plain net", "training cost ratio", "in words"), rows)


def _robustness(study: Study) -> str:
    rows = (study.get("winner") or {}).get("robustness") or []
    if not rows:
        return "Robustness was not measured."
    cells = [
        (
            escape(row.get("family", "")),
            number(row.get("severity")),
            escape((row.get("measurement") or {}).get("name", "")),
            interval(row.get("measurement")),
        )
        for row in rows
    ]
    return table(("disturbance", "severity", "measure", "value"), cells)


def _slices(study: Study) -> str:
    every = (study.get("winner") or {}).get("slices") or []
    rows, small = ([row for row in every if row.get("state") == state] for state in ("worse", "too_small"))
    what = "further group" if len(small) == 1 else "further groups"
    untold = f"Too few rows to say anything of {number(len(small))} {what}: {_groups(small)}." if small else ""
    if not rows:
        fine = "No group was found to do worse than the others, among the groups that were tested."
        return f"{fine}\n\n{untold}" if untold else fine
    cells = [
        (
            f"{code(row.get('column', ''))} = {code(row.get('value', ''))}",
            number(row.get("n")),
            interval(row.get("measurement")),
            interval(row.get("difference")),
        )
        for row in rows[:20]
    ]
    shown = table(("group", "rows", "value", "difference to the rest"), cells)
    return f"{shown}\n\n{untold}" if untold else shown


def _groups(rows: list[Mapping[str, Any]]) -> str:
    """Name groups by their columns, with the count of each: one line, however many there are."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[str(row.get("column", ""))] = counts.get(str(row.get("column", "")), 0) + 1
    named = [f"{code(column)} ({number(count)})" for column, count in list(counts.items())[:8]]
    return ", ".join(named) + (f" and {number(len(counts) - 8)} more columns" if len(counts) > 8 else "")


def _cost(study: Study) -> str:
    cost = (study.get("winner") or {}).get("cost") or winner_of(study).get("cost") or {}
    total = ((study.get("budget") or {}).get("spent") or {}).get("total")
    rows = [
        ("training", f"{number(cost.get('seconds'), 1)} s"),
        ("one prediction", f"{number(cost.get('latency_1_ms'))} ms"),
        ("256 predictions", f"{number(cost.get('latency_256_ms'))} ms"),
        ("size on disk", f"{number(cost.get('bytes'))} bytes"),
        ("whole study", f"{number(total, 1)} s"),
    ]
    return table(("what", "cost"), rows)


def _making(study: Study) -> str:
    trial, versions = winner_of(study), study.get("versions") or {}
    made = ", ".join(f"{escape(name)} {escape(version)}" for name, version in versions.items())
    lines = [
        f"- command: {code(study.get('command', ''))}",
        f"- seed: {number(study.get('seed'))}; temperance {escape(study.get('temperance', '–'))}; {made}",
        f"- data: SHA-256 {code((study.get('data') or {}).get('sha256', ''))}",
    ]
    if trial.get("recipe_text"):
        lines.append(f"\n{block(trial['recipe_text'], 'python')}")
    return "\n".join(lines)
