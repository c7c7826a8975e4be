"""Fail on a circle of files: imports for types and imports inside functions count too. Part of ``make check``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Set
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp

PACKAGE = "temperance"
SOURCE = Path(__file__).resolve().parent.parent / "src"
# Imports that may close a circle, each with its reason. A new one needs a reason as good.
ALLOWED = {
    ("temperance.core.recipe", "temperance.core.session"): "users begin at the recipe: Recipe.attach makes a session, "
    "which knows its recipe; the import stands in the method, so that a recipe is a value without an engine",
}


def imports(package: str = PACKAGE) -> dict[str, set[str]]:
    """Return for each module of the package the modules of the package that it imports, anywhere in its file."""
    graph = grimp.build_graph(package, exclude_type_checking_imports=False, cache_dir=None)
    return {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}


def circles(graph: Mapping[str, Set[str]], allowed: Set[tuple[str, str]] = frozenset(ALLOWED)) -> list[list[str]]:
    """Return circles, each as modules in the order in which they import each other; one at least of each knot.

    Args:
        graph: imported modules by importing module.
        allowed: (importer, imported) that are left out.

    """
    rest = {m: {one for one in to if (m, one) not in allowed} for m, to in graph.items()}
    found: list[list[str]] = []
    while True:
        try:
            TopologicalSorter(rest).prepare()
        except CycleError as fault:
            # graphlib names predecessors first, which is the reverse of who imports whom
            circle = list(reversed(fault.args[1]))
            found.append(circle)
            rest = {m: to - set(circle) if m in circle else to for m, to in rest.items()}
        else:
            return found


def unused(graph: Mapping[str, Set[str]]) -> list[str]:
    """Return the allowances that no import needs any more."""
    return [f"{a} -> {b}" for a, b in ALLOWED if b not in graph.get(a, set())]


def main() -> int:
    """Print each circle and each allowance that is needed no more; return 1 where there is one."""
    sys.path.insert(0, str(SOURCE))  # the files beside this script, whatever is installed
    graph = imports()
    lines = [f"circle: {' -> '.join(circle)}" for circle in circles(graph)]
    lines += [f"allowed for nothing (take it out of {__file__}): {one}" for one in unused(graph)]
    if lines:
        print(*lines, "Break it: move what both need below both, or pass it in.", sep="\n")
        return 1
    print(f"no circle among {len(graph)} files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
