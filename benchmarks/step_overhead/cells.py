"""All cells by name: a technique's class name, or a word for a recipe of several."""

from __future__ import annotations

from benchmarks.step_overhead import (
    averaging,
    first,
    flatness,
    generative,
    mixing,
    smoothness,
    targets,
    transfer,
    units,
    weights,
)
from benchmarks.step_overhead.work import Cell

CELLS: dict[str, Cell] = {
    **first.CELLS,
    **averaging.CELLS,
    **generative.CELLS,
    **targets.CELLS,
    **weights.CELLS,
    **flatness.CELLS,
    **smoothness.CELLS,
    **units.CELLS,
    **mixing.CELLS,
    **transfer.CELLS,
}
