"""A step that is left out, or breaks off, leaves no memory of what its first micro-batches taught."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

import temperance as t
from temperance.core.batch import Batch
from temperance.core.regularizer import Memory
from temperance.core.taught import Taught

G = torch.Generator().manual_seed(0)
X, Y, INDEX = torch.randn(10, 6, generator=G), torch.randint(0, 3, (10,), generator=G), torch.arange(10)
GOOD, OTHER, BAD = Batch(X, Y, None, INDEX), Batch(3 * X, Y, None, INDEX), Batch(X * float("nan"), Y, None, INDEX)
REMEMBERING = [t.EarlyLearning(), t.OnlineLabelSmoothing(), t.SelfDistillation("previous", share=0.5)]


def session_of(one, nan):
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
    return t.Recipe(one).attach(
        model, torch.optim.SGD(model.parameters(), lr=0.3), loss=F.cross_entropy, nan=nan, steps=30, steps_per_epoch=2
    )


def left_out(session):
    session.step([OTHER, BAD])


def left_out_in_a_loop_of_the_user(session):
    for part in (OTHER, BAD):
        session.loss(part).backward()
    session.update()


def broken_off(session):
    calls = []

    def breaks(*_):
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("boom")

    hook = session.model.register_forward_pre_hook(breaks)
    with pytest.raises(RuntimeError, match="boom"):
        session.step([OTHER, GOOD])
    hook.remove()
    session.steps += 1


def trained(one, nan, between):
    session = session_of(one, nan)
    for _ in range(3):
        session.step(GOOD)
    between(session)
    for _ in range(5):
        session.step(GOOD)
    return torch.cat([p.detach().flatten() for p in session.model.parameters()])


def counted(session):
    session.steps += 1


@pytest.mark.filterwarnings("ignore:step 4 is left out")
@pytest.mark.parametrize("one", REMEMBERING, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("between", [left_out, left_out_in_a_loop_of_the_user, broken_off])
def test_a_step_that_does_not_count_is_not_remembered(one, between):
    nan = "raise" if between is broken_off else "skip"
    assert torch.equal(trained(one, nan, between), trained(one, nan, counted))


def test_gradients_that_nobody_updated_by_taught_nothing():
    one = REMEMBERING[0]
    found = trained(one, "raise", lambda session: (session.gradients([OTHER, OTHER]), counted(session)))
    assert torch.equal(found, trained(one, "raise", counted))


def test_a_step_that_counts_is_kept_and_its_notes_end():
    session = session_of(REMEMBERING[0], "raise")
    session.step([OTHER, GOOD])
    (memory,) = session._memory.values()
    assert {"rows", "where"} <= set(memory)
    assert memory.journal is None


def test_tables_are_put_back_row_by_row():
    memory = Memory({"table": torch.zeros(3, 1)}, address="a")
    taught = Taught({"a": memory})
    taught.begin()
    table, where = memory["table"], torch.tensor([1])
    for value in (1.0, 2.0):
        memory.journal.append((table, where, table[where]))
        table[1] = value
    memory["new"] = 1
    taught.put_back()
    assert memory == {"table": table}
    assert not table.any()
    assert memory.journal is None
