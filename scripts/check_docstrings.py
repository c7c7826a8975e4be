"""Fail on a public function whose docstring lacks shapes, units or errors. Part of ``make check``.

Public is what has no leading underscore, in the package. ruff checks that docstrings are there and how they begin;
this adds what a reader needs to call the function without reading it (a command of the command line is left out: its
docstring and its options are the help that users read):

- **presence**: methods too; one that overrides a documented method of the package has its docstring;
- **errors**: who raises an error of the package names it, under ``Raises:`` or in the sentence that says when;
- **shapes**: who takes or gives an array or tensor names a shape, ``(b, c)``, or says that any shape will do; an
  ``nn.Module`` may do so in its class;
- **units**: who takes a quantity whose name has no unit (``timeout``, ``budget`` …) names the unit.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "temperance"
Function = ast.FunctionDef | ast.AsyncFunctionDef

ARRAYS = re.compile(r"\b(Tensor|Parameter|ndarray|NDArray)\b")
# Named tensors (parameters, gradients) have each their own shape; what calls back is described by its own type.
_INSIDE = r"(?:[^\[\]]|\[(?:[^\[\]]|\[[^\[\]]*\])*\])*"
UNSHAPED = re.compile(rf"(Mapping|dict|Callable|OrderedDict)\[{_INSIDE}\]")
SHAPE = re.compile(r"\b[Ss]hapes?\b|(?<!\w)\((?:[\w'’…·+*/−\-×≥. ]*,[\w'’…·+*/−\-×≥., ]*|[a-zA-Z]'?|)\)")
QUANTITIES = frozenset({"timeout", "budget", "deadline", "duration", "elapsed", "latency", "age", "wait", "period"})
UNITS = re.compile(r"\b(s|ms|seconds?|minutes?|hours?|days?|bytes?|MB|GB|steps?|epochs?|rows?|draws?|runs?)\b")


@dataclass
class Known:
    """Classes of the package by name: their methods with docstrings, and their bases by name."""

    methods: dict[str, dict[str, str]] = field(default_factory=dict)
    bases: dict[str, list[str]] = field(default_factory=dict)

    def add(self, node: ast.ClassDef) -> None:
        """Take in one class."""
        own = {n.name: doc for n in node.body if isinstance(n, Function) and (doc := ast.get_docstring(n))}
        self.methods.setdefault(node.name, {}).update(own)
        self.bases.setdefault(node.name, []).extend(_name(base) for base in node.bases)

    def inherited(self, cls: str, method: str, seen: frozenset[str] = frozenset()) -> str:
        """Return the docstring that a method has from its class or one above; empty where there is none."""
        if cls in seen:
            return ""
        if method in self.methods.get(cls, {}):
            return self.methods[cls][method]
        return next(filter(None, (self.inherited(b, method, seen | {cls}) for b in self.bases.get(cls, ()))), "")


def errors_of_the_package() -> frozenset[str]:
    """Return the names of the errors that the package raises on purpose."""
    tree = ast.parse((SOURCE / "records" / "errors.py").read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.ClassDef))


def faults(paths: Iterable[Path], errors: frozenset[str]) -> list[str]:
    """Return a line for each docstring that lacks something, with its place."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(paths)}
    known = Known()
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                known.add(node)
    return [
        f"{_shown(path)}:{node.lineno}: {owner.name + '.' if owner else ''}{node.name} {fault}"
        for path, tree in trees.items()
        for node, owner in public(tree)
        if not is_command(node)
        for fault in lacks(node, owner, known, errors)
    ]


def public(
    tree: ast.Module | ast.ClassDef, owner: ast.ClassDef | None = None
) -> Iterator[tuple[Function, ast.ClassDef | None]]:
    """Yield the public functions of a module and the public methods of its public classes."""
    for node in tree.body:
        if isinstance(node, Function) and not node.name.startswith("_"):
            yield node, owner
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public(node, node)


def lacks(node: Function, owner: ast.ClassDef | None, known: Known, errors: frozenset[str]) -> Iterator[str]:
    """Yield what the docstring of one function lacks, as clauses."""
    doc = ast.get_docstring(node) or (known.inherited(owner.name, node.name) if owner else "")
    if not doc:
        yield "has no docstring, nor has what it overrides"
        return
    for name in sorted(raised(node) & errors):
        if name not in doc:
            yield f"raises {name}: say when, under Raises:"
    about = doc + (ast.get_docstring(owner) or "" if owner else "")
    if is_given_arrays(node) and not SHAPE.search(about):
        yield "takes or gives arrays: name their shapes, such as (b, c)"
    for name in sorted(quantities(node)):
        if not UNITS.search(about):
            yield f"takes {name}: name its unit"


def is_command(node: Function) -> bool:
    """Return whether a function is a command of the command line, whose options document themselves."""
    return any("Annotated[" in text or text.startswith("options.") for text in _annotations(node))


def raised(node: ast.AST) -> set[str]:
    """Return the names of what the function raises itself, functions inside it left out."""
    found: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(child, ast.Raise) and child.exc is not None:
            found.add(_name(child.exc.func if isinstance(child.exc, ast.Call) else child.exc))
        found |= raised(child)
    return found


def is_given_arrays(node: Function) -> bool:
    """Return whether an annotation names an array or tensor that is not one of many by name."""
    return any(ARRAYS.search(UNSHAPED.sub("", text)) for text in _annotations(node))


def quantities(node: Function) -> set[str]:
    """Return the parameters that are quantities without a unit in their name."""
    return {arg.arg for arg in (*node.args.args, *node.args.kwonlyargs)} & QUANTITIES


def _annotations(node: Function) -> list[str]:
    given = [arg.annotation for arg in (*node.args.args, *node.args.kwonlyargs)]
    return [ast.unparse(one) for one in (*given, node.returns) if one is not None]


def _shown(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def main() -> int:
    """Print each fault; return 1 where there is one."""
    found = faults(SOURCE.rglob("*.py"), errors_of_the_package())
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{len(found)} docstrings lack something" if found else "docstrings name shapes, units and errors")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
