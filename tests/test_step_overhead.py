"""The twins of the overhead benchmark: there is one for each technique, and it does the same work."""

import importlib
import sys
from pathlib import Path

import pytest
import torch

import temperance.regularizers  # noqa: F401  (fills the registry)
from temperance.core.regularizer import techniques

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
WORK = importlib.import_module("benchmarks.step_overhead.work")
CELLS = importlib.import_module("benchmarks.step_overhead.cells").CELLS
sys.path.remove(str(ROOT))
EACH = [(name, net) for name, cell in CELLS.items() for net in cell.nets]


def test_every_technique_has_a_cell() -> None:
    own = {name for name, cls in techniques.items() if cls.__module__.startswith("temperance.")}
    assert own - set(CELLS) == set()


def test_a_cell_that_is_not_compared_says_why() -> None:
    assert [name for name, cell in CELLS.items() if not cell.same and not cell.why_not] == []


@pytest.mark.filterwarnings("ignore::temperance.core.embedding.OnEmbeddings")
@pytest.mark.parametrize(("name", "net"), EACH)
def test_both_loops_do_the_same_work(name: str, net: str) -> None:
    cell, ends = CELLS[name], []
    for make in (WORK.by_session, WORK.by_hand):
        torch.manual_seed(0)
        step, model = make(cell, net)
        before = [p.detach().clone() for p in model.parameters()]
        for _ in range(cell.steps):
            step()
        after = [p.detach() for p in model.parameters()]
        assert all(bool(torch.isfinite(p).all()) for p in after)
        assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True)), "nothing was trained"
        ends.append(torch.cat([p.flatten() for p in after]))
    if cell.same:
        moved = (ends[1] - torch.cat([p.flatten() for p in before])).norm()
        most = 1e-3 if cell.steps <= 3 else 2e-2  # the last bits of a sum grow over many steps of Adam
        assert float((ends[0] - ends[1]).norm()) <= most * float(moved)
