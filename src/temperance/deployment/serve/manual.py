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
        "<p>The same for programs: <a href='/openapi.json'>/openapi.json</a>.",
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
