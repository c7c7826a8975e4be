"""``/docs``: the OpenAPI document as a page that needs no script and no other server."""

from __future__ import annotations

import html
import json
from typing import Any

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}code,pre{font-family:ui-monospace,monospace;font-size:.9rem}
pre{background:#f2f2f2;padding:.8rem;overflow-x:auto}table{border-collapse:collapse}
td,th{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}pre{background:#262626}a{color:#9cf}}
"""


def page(document: dict[str, Any]) -> bytes:
    """Return the page of a document of ``openapi.describe``."""
    info, row = document["info"], document["components"]["schemas"]["row"]
    example = row.get("examples", [{}])[0]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>{_text(info['title'])}</title><style>{STYLE}</style><main>",
        f"<h1>{_text(info['title'])}</h1><p>Version <code>{_text(info['version'])}</code>.",
        f"<p>{_text(info['description'])}",
        "<p>The same for programs: <a href='openapi.json'>openapi.json</a>.",
        "<h2>Try it</h2>",
        f"<pre>curl -d '{_text(json.dumps(example, ensure_ascii=False))}' SERVER/predict</pre>",
        "<h2>A row</h2>", _columns(row),
    ]  # fmt: skip
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            lock = " (needs the token)" if one.get("security") else ""
            parts.append(f"<h2><code>{method.upper()} {_text(path)}</code></h2><p>{_text(one['summary'])}{lock}.")
            parts.append(_statuses(one["responses"]))
    return "".join([*parts, "</main></html>"]).encode()


def index(about: dict[str, Any]) -> bytes:
    """Return the page of the models of several targets, with the way to the page of each.

    Args:
        about: ``models`` (folder → target and task), ``paths`` and ``features``.

    """
    models = about["models"]
    title = f"{len(models)} models of the same rows"
    lines = "".join(
        f"<tr><th scope=row><a href='/outputs/{_text(name)}/docs'>{_text(one['target'])}</a><td>{_text(one['task'])}"
        f"<td><code>/outputs/{_text(name)}/</code>"
        for name, one in models.items()
    )
    features = ", ".join(f"<code>{_text(name)}</code>" for name in about["features"])
    return "".join(
        [
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
            f"<title>{title}</title><style>{STYLE}</style><main><h1>{title}</h1>",
            "<p><code>POST /predict</code> asks all of them with one row, or with <code>{\"rows\": […]}</code>, and "
            "answers by target. Everything else is asked of one model; its page says what a row looks like.",
            f"<h2>Models</h2><table>{lines}</table><h2>Columns of a row</h2><p>{features}",
            "<h2>Paths</h2><ul>", *(f"<li><code>{_text(path)}</code>" for path in about["paths"]), "</ul></main>",
        ]
    ).encode()  # fmt: skip


def _columns(row: dict[str, Any]) -> str:
    known = row.get("properties", {})
    if not known:
        return f"<p>{_text(row.get('description', ''))}"
    lines = "".join(
        f"<tr><th scope=row><code>{_text(name)}</code><td>{_text(one.get('description', ''))}"
        for name, one in known.items()
    )
    return f"<table>{lines}</table>"


def _statuses(responses: dict[str, Any]) -> str:
    lines = "".join(f"<tr><td>{_text(code)}<td>{_text(one['description'])}" for code, one in responses.items())
    return f"<table>{lines}</table>"


def _text(value: Any) -> str:
    return html.escape(str(value))
