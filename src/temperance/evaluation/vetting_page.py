"""A vetting, or a comparison, as a short page in Markdown: sentences first, then every figure with what it rests on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from temperance.evaluation.requirements import Verdict
from temperance.evaluation.versus import Versus
from temperance.evaluation.vetting import Vetting
from temperance.records.measurement import Measurement

HEADS = {"ood": "Strange rows (OOD)", "adversarial": "Attacks", "corruption": "Damage"}  # where the name is no heading
_EDGE = "|---|---|---|---|---|---|---|---|"


def page(done: Vetting, *, data: str, notes: Sequence[str] = (), verdicts: Sequence[Verdict] = ()) -> str:
    """Return the page of a vetting.

    Args:
        done: the vetting.
        data: what the rows came from.
        notes: how the data were read.
        verdicts: requirements, where there were any.

    """
    own = done.evaluation
    head = f"{own.n:,} rows, suite {own.suite}, seed {done.seed}, {done.seconds:.1f} seconds."
    lines = [f"# {_safe(done.subject.name)} on {_safe(data)}", "", head, ""]
    if verdicts:
        judged = [f"- {'met' if v.met else '**not met**'}: {_safe(v.why)}" for v in verdicts]
        lines += ["## Requirements", "", *judged, ""]
    lines += ["## In words", "", *(f"- {_safe(text)}" for text in done.sentences()), ""]
    lines += ["## Figures", "", *_table(done.evaluation.measurements), ""]
    if done.changes:
        lines += ["## Against its own record", "", *_changes(done), ""]
    for one in done.readings:
        known = {m.name for m in done.evaluation.measurements}
        fresh = [m for m in one.measurements if m.name not in known]
        if fresh:
            lines += [f"## {HEADS.get(one.aspect, one.aspect.replace('_', ' ').capitalize())}", "", *_table(fresh), ""]
    left = [f"- {_safe(what)}: {_safe(why)}" for what, why in done.not_done]
    lines += ["## Left out", "", *left, ""] if left else []
    lines += ["## How the data were read", "", *(f"- {_safe(note)}" for note in notes), ""] if notes else []
    return "\n".join(lines)


def versus_page(done: Versus, *, data: str) -> str:
    """Return the page of a comparison."""
    lines = [f"# {_safe(done.names[0])} against {_safe(done.names[1])} on {_safe(data)}", ""]
    lines += [*(f"- {_safe(text)}" for text in done.sentences()), "", "## Differences", ""]
    lines += [
        "| figure | first | second | difference | low | high | p | verdict |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, c in done.comparisons.items():
        a, b = done.figures[name]
        d = c.difference
        verdict = "equivalent" if c.equivalent else c.verdict
        cells = [_n(a.value), _n(b.value), _n(d.value), _n(d.low), _n(d.high), _n(c.p), verdict]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    note = (
        "Differences are first − second on the same rows. p values of all but the declared figure are corrected (Holm)."
    )
    return "\n".join([*lines, "", note, ""])


def _table(found: Iterable[Measurement]) -> list[str]:
    rows = ["| figure | value | low | high | n | what it is |", "|---|---|---|---|---|---|"]
    for m in found:
        what = "; ".join([part for part in (m.convention, *m.flags) if part])
        rows.append(f"| {_safe(m.name)} | {_n(m.value)} | {_n(m.low)} | {_n(m.high)} | {m.n:,} | {_safe(what)} |")
    return rows


def _changes(done: Vetting) -> list[str]:
    rows = ["| figure | now | then | change | low | high | p | verdict |", _EDGE]
    for c in done.changes:
        d = c.difference
        cells = [_n(c.now.value), _n(c.then.value), _n(d.value), _n(d.low), _n(d.high), _n(c.p), c.verdict]
        rows.append(f"| {c.name} | {' | '.join(cells)} |")
    return rows


def _n(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:.4g}"


def _safe(text: str) -> str:
    """Return a text in which nothing acts as a table's edge or as HTML."""
    plain = " ".join(str(text).split())
    return plain.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")
