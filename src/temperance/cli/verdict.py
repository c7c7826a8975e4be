"""The end of a study in a few plain sentences, and as one JSON object."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from temperance.records.durations import words_for_seconds

FIRST = {"regression": ("rmse", "mae", "interval_coverage"), "": ("level_mae", "qwk", "accuracy", "log_loss", "ece")}
_SEEN = {"better": "dearer", "worse": "cheaper"}  # ours beside a rule, said of the rule
DECIDES = "Other rows, held out from training, decide which model wins. So one may do better on the test rows."
BESIDE = ("simple_test", "plain_test", "boosting_test", "linear_test")


def paths(folder: Path, document: dict[str, Any]) -> dict[str, str | None]:
    """Return where the parts of a study lie; None for a part that was not written."""
    names = {
        "study": "study.json", "report": "report.html", "leaderboard": "leaderboard.csv", "model_card": "model_card.md",
        "dataset_card": "dataset_card.md", "bundle": str(document.get("bundle") or "bundle"), "ledger": "ledger.jsonl",
    }  # fmt: skip
    return {key: str(folder / name) if (folder / name).exists() else None for key, name in names.items()}


def summary(folder: Path, document: dict[str, Any], *, seconds: float) -> dict[str, Any]:
    """Return what ``--json`` prints after a study."""
    winner = document["winner"]
    chosen = {key: winner.get(key) for key in ("trial", "why", "test", "cost", "served")}
    states: dict[str, int] = {}
    for finding in document.get("findings") or []:
        states[finding["state"]] = states.get(finding["state"], 0) + 1
    statuses = [trial["status"] for trial in document["trials"]]
    return {
        "status": document["status"], "folder": str(folder), "paths": paths(folder, document),
        "metric": document["metric"], "seed": document["seed"],
        "winner": {**chosen, "name": name_of(document)},
        "trials": {status: statuses.count(status) for status in sorted(set(statuses))},
        "findings": states, "left_out": document["budget"]["left_out"], "seconds": round(seconds, 3),
    }  # fmt: skip


def name_of(document: dict[str, Any], trial: str | None = None) -> str:
    """Return the name of a trial, by default the winner's."""
    wanted = trial or document["winner"]["trial"]
    return next((str(t["name"]) for t in document["trials"] if t["id"] == wanted), wanted)


def text(folder: Path, document: dict[str, Any], *, seconds: float) -> str:
    """Return the verdict: what won, how good it is, what regularization bought, what to look at, where things are."""
    winner = document["winner"]
    lines = [f"Best model: {name_of(document)}.", f"  {winner.get('why', '')}".rstrip()]
    lines += [f"  {said}" for said in measured(document)]
    lines += [*_beside(document), *_costs(document)]
    bought = [_bought(row) for row in winner.get("bought") or [] if row.get("sentence")]
    lines += ["What regularization bought:", *(f"  {said}" for said in bought)] if bought else []
    lines += _own_net(document)
    lines += _look_at(document)
    spent = words_for_seconds(seconds)
    lines += ["", f"Took {spent} for {len(document['trials'])} trials. Written to {folder}:"]
    labels = {"report": "report", "bundle": "model to serve", "study": "all figures", "model_card": "model card"}
    where = paths(folder, document)
    lines += [f"  {label:<15} {where[key]}" for key, label in labels.items() if where[key]]
    if where["bundle"]:
        lines.append(f"Serve it with: temperance serve {shlex.quote(str(where['bundle']))}")
    if document["status"] == "interrupted":
        lines.append(f"It was stopped early. Go on with: temperance study --resume {shlex.quote(str(folder))}")
    return "\n".join(line for line in lines if line.strip() or not line)


def _bought(row: dict[str, Any]) -> str:
    """Return what an ingredient bought, with its interval and what that says."""
    change, verdict = row.get("difference") or {}, row.get("verdict")
    if change.get("low") is None or change.get("high") is None:
        return str(row["sentence"])
    share = round(100 * float(change.get("confidence") or 0.95))
    words = f"{share} % interval {change['low']:+.4g} to {change['high']:+.4g}" + (f": {verdict}" if verdict else "")
    return f"{str(row['sentence']).removesuffix('.')} ({words})."


def measured(document: dict[str, Any]) -> list[str]:
    """Return sentences for the first test figures."""
    from temperance.evaluation.words import sentence
    from temperance.records.measurement import Measurement

    task, test = document["data"]["task"], document["winner"]["test"]
    names = dict.fromkeys([document["metric"]["name"], *FIRST.get(task, FIRST[""])])
    said = [sentence(Measurement.from_dict(test[name]), task=task) for name in names if name in test]
    promised = ((document["winner"].get("interval") or {}).get("tested") or {}).get("promised")
    return said if promised is None else [*said, f"The range promises {100 * promised:.3g} of 100."]


def _beside(document: dict[str, Any]) -> list[str]:
    name = document["metric"]["name"]
    own = (document["winner"]["test"].get(name) or {}).get("value")
    lower = document["metric"].get("better", "lower") == "lower"
    said, beaten = [], False
    for key in BESIDE:
        other = document["winner"].get(key)
        figure = ((other or {}).get("measurements") or {}).get(name)
        if other and figure and figure.get("value") is not None and other["trial"] != document["winner"]["trial"]:
            said.append(f"{name_of(document, other['trial'])}: {figure['value']:.4g}")
            beaten |= own is not None and (figure["value"] < own if lower else figure["value"] > own)
    lines = [f"  Beside it, {name} on the same test rows: {'; '.join(said)}."] if said else []
    return [*lines, f"  {DECIDES}"] if beaten else lines


def _costs(document: dict[str, Any]) -> list[str]:
    """Return what the answers cost beside simpler rules, and from which chance on one of two classes is answered."""
    found = document["winner"].get("decision")
    if not found:
        return []
    rules = [
        f"{'always ' + repr(other['answer']) if other['answer'] else 'the most probable class'} "
        f"{other['expected']['value']:.3g} ({_SEEN.get(other['verdict'], 'no clear difference')})"
        for other in found["others"]
    ]
    own = found["expected"]
    said = [
        f"  In your costs an answer costs {own['value']:.3g} (between {own['low']:.3g} and {own['high']:.3g}); "
        f"other rules: {', '.join(rules)}."
    ]
    if found["case"]:
        said.append(f"  It answers {found['case']!r} from a chance of {100 * found['limit']:.3g} of 100 on.")
    return said


def _own_net(document: dict[str, Any]) -> list[str]:
    """Return what went wrong with the user's own net and recipes: whatever won, they must not miss it."""
    said = [text for text in document.get("limits") or [] if "your net" in text.lower()]
    brought = [text for text in document.get("limits") or [] if text.startswith("Start of yours: ")]
    lines = ["Your own net:", *(f"  {text}" for text in said)] if said else []
    return [*lines, *brought]


def _look_at(document: dict[str, Any]) -> list[str]:
    found = document.get("findings") or []
    lines: list[str] = []
    for state, words in (("fix_before_use", "Fix before use"), ("look_at_this", "Look at this")):
        titles = [finding["title"] for finding in found if finding["state"] == state]
        lines += [f"{words}:", *(f"  {title}" for title in titles[:3])] if titles else []
        lines += [f"  … and {len(titles) - 3} more in the report."] if len(titles) > 3 else []
    return lines
