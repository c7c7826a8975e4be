"""The gallery shows each example, and its pictures are those of runs."""

import importlib
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.fixture
def gallery(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    yield importlib.import_module("gallery")
    sys.modules.pop("gallery", None)


def test_each_example_stands_there_and_most_have_a_small_picture(gallery) -> None:
    text = "\n".join(gallery.gallery_lines())
    assert re.findall(r"\]\(\.\./examples/(\w+\.py)\)", text) == [path.name for path in EXAMPLES]
    pictures = [ROOT / "docs" / one for one in re.findall(r"!\[[^\]]+\]\((pictures/[^)]+)\)", text)]
    assert len(pictures) >= len(EXAMPLES) - 2
    assert all(path.stat().st_size < 5_000 for path in pictures)


def test_what_a_session_loses_in_each_step_is_noted_and_drawn(gallery) -> None:
    import torch

    from temperance import Recipe

    recorder = gallery.Recorder()
    model = torch.nn.Linear(2, 1)
    session = Recipe().attach(model, torch.optim.SGD(model.parameters(), 0.01), loss=torch.nn.MSELoss(), epochs=1)
    before = type(session).step
    with recorder.listening():
        for _ in range(3):
            session.step((torch.ones(4, 2), torch.ones(4, 1)))
    assert type(session).step is before
    ((seen, losses),) = recorder.sessions
    assert seen is session
    assert len(losses) == 3
    drawn = gallery.pictured("mine", recorder, None)
    assert "Loss on the batches" in drawn
    assert drawn.count("<polyline") == 1


def test_strengths_that_moved_are_drawn_instead(gallery) -> None:
    recorder = gallery.Recorder()
    moves = [
        SimpleNamespace(strength=s, value=v) for s, v in (("dropout.p", 0.1), ("dropout.p", 0.2), ("training", 0.0))
    ]
    recorder.sessions.append((SimpleNamespace(trace=moves), [1.0, 2.0]))
    drawn = gallery.pictured("mine", recorder, None)
    assert "dropout.p" in drawn
    assert "training<" not in drawn


def test_what_was_returned_is_drawn_where_there_was_no_session(gallery) -> None:
    assert gallery.pictured("mine", gallery.Recorder(), {"plain": 0.5, "words": "x"}).count('fill="#00695c"') == 1
    assert gallery.pictured("mine", gallery.Recorder(), [0.1, 0.2]).count('fill="#00695c"') == 2
    assert gallery.pictured("mine", gallery.Recorder(), 0.9) == ""


def test_many_points_become_few_means(gallery) -> None:
    assert gallery.thinned([1.0, 2.0]) == [1.0, 2.0]
    thin = gallery.thinned([float(i) for i in range(1000)])
    assert len(thin) <= gallery.POINTS
    assert thin[0] == 6.0  # the mean of 0 to 12
