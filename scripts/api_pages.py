"""The API reference of the site: one page per room, made from signatures and docstrings."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from types import ModuleType
from typing import Any

from make_docs import _body

ROOMS = (
    "control", "signals", "estimators", "data", "audit", "evaluation", "governance", "deployment",
    "monitoring", "adaptation", "lifecycle", "models", "population", "proof",
)  # fmt: skip
WALKED = ("integrations", "testing")  # rooms whose names are imported from their files
WIDE = 88


def api_pages() -> dict[str, str]:
    """Return the pages of the reference by their path in the site."""
    import temperance

    pages: dict[str, str] = {}
    lines = ["# API reference", "", "Made from the code. A technique has [its own page](../techniques/index.md).", ""]
    top = {name: getattr(temperance, name) for name in sorted(temperance.__all__) if not _is_technique(name)}
    pages["api/temperance.md"] = page("temperance", inspect.getdoc(temperance) or "", top)
    lines += ["| from | what |", "|---|---|", "| [temperance](temperance.md) | what most people import |"]
    for room in (*ROOMS, *WALKED):
        module = importlib.import_module(f"temperance.{room}")
        doc = inspect.getdoc(module) or ""
        names = walked(module) if room in WALKED else {n: getattr(module, n) for n in sorted(module.__all__)}
        own = {name: value for name, value in names.items() if not _is_technique(name)}
        pages[f"api/{room}.md"] = page(f"temperance.{room}", doc, own)
        lines.append(f"| [temperance.{room}]({room}.md) | {_first(doc)} |")
    return {**pages, "api/index.md": "\n".join([*lines, ""])}


def page(name: str, doc: str, members: dict[str, Any]) -> str:
    """Return one page.

    Args:
        name: of the room.
        doc: its docstring.
        members: its public names.

    """
    lines = [f"# {name}", "", _body(doc), ""]
    for member, value in members.items():
        lines += _entry(member, value, level="##")
        if inspect.isclass(value):
            for method, own in sorted(vars(value).items()):
                called = own.__func__ if isinstance(own, classmethod | staticmethod) else own
                if not method.startswith("_") and inspect.isfunction(called) and inspect.getdoc(called):
                    lines += _entry(f"{member}.{method}", called, level="###")
    return "\n".join(lines)


def walked(package: ModuleType) -> dict[str, Any]:
    """Return the documented classes and functions that the files of a package define.

    Args:
        package: whose files are imported.

    """
    found: dict[str, Any] = {}
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        for name, value in vars(module).items():
            if (
                not name.startswith("_")
                and getattr(value, "__module__", "") == module.__name__
                and inspect.getdoc(value)
            ):
                found[f"{info.name}.{name}"] = value
    return found


def _entry(name: str, value: Any, *, level: str) -> list[str]:
    lines = [f"{level} {name}", ""]
    if callable(value):
        lines += ["```python", _signature(name, value), "```", ""]
    doc = inspect.getdoc(value) if callable(value) else ""
    return [*lines, _body(doc or f"A constant: `{type(value).__name__}`."), ""]


def _signature(name: str, value: Any) -> str:
    try:
        shown = inspect.signature(value)
    except (TypeError, ValueError):  # builtins and enumerations have none
        return name
    text = re.sub(r" at 0x[0-9a-f]+", "", str(shown)).replace("temperance.", "")
    short = name.rpartition(".")[2]
    if len(short) + len(text) <= WIDE:
        return f"{short}{text}"
    parts = [str(one).replace("temperance.", "") for one in shown.parameters.values()]
    return "\n".join([f"{short}(", *(f"    {re.sub(r' at 0x[0-9a-f]+', '', part)}," for part in parts), ")"])


def _is_technique(name: str) -> bool:
    from temperance import regularizers

    return name in regularizers.__all__


def _first(doc: str) -> str:
    return " ".join(doc.split("\n\n")[0].split()).replace("``", "`").replace("|", "\\|")
