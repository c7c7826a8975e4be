"""The page of a stream: a sentence, a table, one picture; no script, readable without colours."""

from __future__ import annotations

from html import escape
from typing import Any

WIDTH, HEIGHT, LEFT, BOTTOM = 720, 300, 56, 28
DASHES = {"static": "", "scheduled": "7 4", "alarmed": "2 3", "adapted": "", "persistence": "1 5"}
COLOURS = {
    "static": "#5f6b7a",
    "scheduled": "#8a5a00",
    "alarmed": "#7a2f8f",
    "adapted": "#00539c",
    "persistence": "#999",
}
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem;color:#1d2530;"
    "background:#fff}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}"
    "th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d5dae1}"
    ".n{text-align:right}svg{width:100%;height:auto}figure{margin:1.5rem 0}"
    ".scroll{overflow-x:auto}"
    "@media(prefers-color-scheme:dark){body{color:#e6e9ee;background:#14181d}th,td{border-color:#39424d}"
    "svg text{fill:#e6e9ee}.grid{stroke:#39424d}}"
)


def page(document: dict[str, Any]) -> str:
    """Return the page of ``stream.json`` as HTML."""
    data = document["data"]
    late = f", the truth of each known {data['delay']:,} rows later" if data["delay"] else ""
    head = escape(f"{data['name']}: {data['target']} over time")
    rows = "".join(_row(arm, document["metric"]) for arm in document["arms"])
    limits = "".join(f"<li>{escape(text)}</li>" for text in document["limits"])
    unit = "answers in 100" if document["metric"] == "accuracy" else "squared error"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{head}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{STYLE}</style></head><body><main>'
        f"<h1>{head}</h1><p><strong>{escape(document['sentence'])}</strong></p>"
        f"<p>The first model learned from {data['first']:,} rows; {data['judged']:,} rows were answered, each before "
        f"its truth was told{late}.</p>"
        f'<div class="scroll" tabindex="0" role="region" aria-label="All ways"><table><thead><tr>'
        f'<th scope="col">way</th><th scope="col" class="n">{document["metric"]}</th>'
        f'<th scope="col" class="n">gain ({unit})</th>'
        f'<th scope="col" class="n">trainings</th><th scope="col" class="n">seconds</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
        f"<figure>{picture(document)}<figcaption>{escape(document['metric'])} in successive parts of the stream"
        f"{_key(document)}</figcaption></figure><h2>What this rests on</h2><ul>{limits}</ul></main></body></html>\n"
    )


def picture(document: dict[str, Any]) -> str:
    """Return the course of every way as one SVG."""
    course = document["course"]
    names = [name for name in course if name != "rows"]
    values = [v for name in names for v in course[name]]
    low, high = min(values), max(values)
    low, high = (low - 0.05 * (high - low or 1), high + 0.05 * (high - low or 1))
    first, last = document["data"]["first"], course["rows"][-1]

    def x(row: float) -> float:
        return float(LEFT + (WIDTH - LEFT - 8) * (row - first) / max(1, last - first))

    def y(value: float) -> float:
        return float(8 + (HEIGHT - BOTTOM - 8) * (1 - (value - low) / (high - low)))

    parts = []
    for i in range(5):
        value = low + (high - low) * i / 4
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - 8}" y1="{y(value):.1f}" y2="{y(value):.1f}" '
            f'stroke="#d5dae1"/><text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end" font-size="12">'
            f"{value:.3g}</text>"
        )
    for row in (first, (first + last) // 2, last):
        anchor = "start" if row == first else "end" if row == last else "middle"
        parts.append(
            f'<text x="{x(row):.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}" font-size="12">row {row:,}</text>'
        )
    for name in names:
        points = " ".join(f"{x(r):.1f},{y(v):.1f}" for r, v in zip(course["rows"], course[name], strict=True))
        width = 2.6 if name == "adapted" else 1.8
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{COLOURS[name]}" stroke-width="{width}" '
            f'stroke-dasharray="{DASHES[name]}"><title>{escape(name)}</title></polyline>'
        )
    label = escape(f"{document['metric']} of each way along the stream; the table above holds the totals")
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _key(document: dict[str, Any]) -> str:
    lines = []
    for arm in document["arms"]:
        name = arm["arm"]
        lines.append(
            f'<br><svg viewBox="0 0 40 8" style="width:40px;height:8px" aria-hidden="true"><line x1="0" x2="40" y1="4" '
            f'y2="4" stroke="{COLOURS[name]}" stroke-width="2.4" stroke-dasharray="{DASHES[name]}"/></svg> '
            f"{escape(arm['words'])}"
        )
    return "".join(lines)


def _row(arm: dict[str, Any], metric: str) -> str:
    gain, classify = arm["gain"], metric == "accuracy"
    value = f"{100 * arm['value']:.2f} %" if classify else f"{arm['value']:.4g}"
    scale, form = (100, "+.2f") if classify else (1, "+.4g")
    told = "–" if arm["arm"] == "static" else (
        f"{scale * gain['value']:{form}} ({scale * gain['low']:{form}} to {scale * gain['high']:{form}})"
    )  # fmt: skip
    return (
        f'<tr><th scope="row">{escape(arm["words"])}</th><td class="n">{value}</td><td class="n">{told}</td>'
        f'<td class="n">{arm["retrainings"]}</td><td class="n">{arm["seconds"]:.1f}</td></tr>'
    )
